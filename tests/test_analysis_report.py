"""What a report writes: the page with links to what is there, and every table in three forms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from run_folders import demo, run, write

from analysis.load import load_run
from analysis.report import write_report, write_tables
from harness.errors import UsageError


def test_the_page_links_to_the_files_that_are_there(tmp_path: Path) -> None:
    made = load_run(write(tmp_path / "one", demo("federa", rounds=3)))
    write_tables([made], tmp_path / "reports" / "x" / "tables")
    page = write_report([made], tmp_path / "reports" / "x" / "report.html")
    ours = re.sub(r"<script>.{1000000,}?</script>", "", page.read_text(), flags=re.DOTALL)  # not plotly's
    addresses = re.findall(r'href="([^#].*?)"', ours)
    assert "../../one/rounds.jsonl" in addresses
    assert {"tables/transfers.csv", "tables/transfers.md", "tables/transfers.tex"} <= set(addresses)
    assert all((page.parent / address).is_file() for address in addresses)


def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UsageError, match=r"report\.html cannot be written: a file stands where a folder"):
        write_report([run()], tmp_path / "taken" / "report.html")
    with pytest.raises(UsageError, match="tables cannot be written"):
        write_tables([run()], tmp_path / "taken" / "tables")


def test_tables_are_written_in_three_forms_and_stale_ones_go(tmp_path: Path) -> None:
    for stale in ("failures.csv", "time-to-target-f1.md", "seeds-speed-up.tex", "paper-table-5.csv"):
        (tmp_path / stale).write_text("of an earlier report")
    written = write_tables([run()], tmp_path)
    assert sorted(path.name for path in written) == [
        f"{name}{suffix}"
        for name in ("round-phases", "time-to-target", "transfers")
        for suffix in (".csv", ".md", ".tex")
    ]
    assert sorted(tmp_path.iterdir()) == sorted(written)


def test_tables_over_seeds_are_written_too(tmp_path: Path) -> None:
    written = write_tables([demo("federa", rounds=6, seed=seed) for seed in range(2)], tmp_path)
    assert tmp_path / "seeds-time-to-target.csv" in written
