"""What records of tables share."""

from __future__ import annotations

from run_folders import run

from analysis.rows import named, number


def test_a_record_begins_with_its_run_and_text_is_no_number() -> None:
    assert named(run(seed=3)) == {"run": "made-up-federa-0", "method": "federa", "seed": 3} | {
        "run": run(seed=3).header.run_id
    }
    assert (number(3), number("3"), number(None)) == (3.0, None, None)
