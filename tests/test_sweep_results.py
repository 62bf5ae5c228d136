"""What a sweep found, as rows and text."""

from __future__ import annotations

from typing import Literal

import pytest
from sweep_stage import asked

from harness.sweep.choice import Outcome
from harness.sweep.plan import Stage
from harness.sweep.results import Row, cells, rows, spread, to_csv, to_markdown


def run(stage: Stage, lr: float, seed: int, best: float | None, state: Literal["done", "failed"] = "done") -> Outcome:
    return Outcome(stage=stage, method="federa", lr=lr, seed=seed, state=state, best=best)


OUTCOMES = [
    run("validation", 4e-3, 0, 0.5),
    run("validation", 4e-3, 1, 0.9, "failed"),
    run("validation", 1e-3, 0, 0.5),
    run("validation", 1e-3, 1, 0.7),
    run("test", 1e-3, 0, 0.6),
    run("test", 1e-3, 1, 0.8),
    run("test", 1e-3, 2, 0.1, "failed"),
]


def found() -> tuple[Row, ...]:
    return rows(asked(methods=("federa",), seeds=(0, 1, 2), tune_seeds=(0, 1)), OUTCOMES, {"federa": 1e-3})


def test_a_spread_is_mean_and_sample_deviation() -> None:
    assert spread([0.6, 0.8]) == (pytest.approx(0.7), pytest.approx(0.2 / 2**0.5))
    assert spread([0.6]) == (0.6, None)
    assert spread([]) == (None, None)


def test_in_validation_a_failed_run_counts_as_zero() -> None:
    row = found()[0]
    assert (row.lr, row.chosen, row.validation_runs, row.validation_failed) == (4e-3, False, 2, 1)
    assert row.validation_mean == pytest.approx(0.25)
    assert (row.test_runs, row.test_mean) == (0, None)


def test_where_nothing_was_evaluated_there_is_no_mean() -> None:
    asked_for = asked(methods=("federa",), seeds=(0,), tune_seeds=(0,))
    row = rows(asked_for, [run("validation", 4e-3, 0, None), run("validation", 1e-3, 0, None)], {})[0]
    assert (row.validation_runs, row.validation_mean, row.validation_std) == (1, None, None)


def test_the_test_s_mean_is_of_the_runs_that_are_done_and_the_others_are_counted() -> None:
    row = found()[1]
    assert row.chosen
    assert (row.test_runs, row.test_failed) == (3, 1)
    assert row.test_mean == pytest.approx(0.7)


def test_people_read_means_deviations_and_failures() -> None:
    assert cells(found()[0]) == ("federa", "0.004", "0.2500 ± 0.3536", "2, 1 failed", "", "-", "-")
    assert cells(found()[1])[4:] == ("yes", "0.7000 ± 0.1414", "3, 1 failed")


def test_runs_that_evaluated_nothing_have_no_mean() -> None:
    (row,) = rows(asked(methods=("federa",), rates=[1e-3]), [run("test", 1e-3, 0, None)], {"federa": 1e-3})
    assert (row.test_runs, row.test_mean) == (1, None)


def test_csv_has_raw_values_and_nothing_for_null() -> None:
    head, first, second = to_csv(found()).splitlines()
    assert head.startswith("method,lr,chosen,metric,validation_runs,")
    assert first == "federa,0.004,false,accuracy,2,1,0.25,0.3535533905932738,0,0,,"
    assert second.startswith("federa,0.001,true,accuracy,2,0,")


def test_markdown_is_a_table_with_its_caption() -> None:
    lines = to_markdown("made-up-sweep-1", found()).splitlines()
    assert lines[0] == "# made-up-sweep-1"
    assert lines[2] == "| method | lr | validation accuracy | runs | chosen | test accuracy | runs |"
    assert lines[5] == "| federa | 0.001 | 0.6000 ± 0.1414 | 2 | yes | 0.7000 ± 0.1414 | 3, 1 failed |"
    assert "a failed run counts as 0" in lines[-1]
