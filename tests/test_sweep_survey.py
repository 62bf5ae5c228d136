"""How far a sweep is."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweep_stage import asked, begun, ended, opened, plan

from harness.sweep.folder import SweepFolder
from harness.sweep.survey import left_s, survey


def test_before_it_begins_all_is_left_and_no_rate_is_chosen(tmp_path: Path) -> None:
    found = survey(SweepFolder(tmp_path / "nowhere", asked()), plan())
    assert (found.total, found.left, found.rounds_left, found.chosen) == (12, 12, 24, {})
    assert [row.validation_runs for row in found.rows] == [0] * 4
    assert not (tmp_path / "nowhere").exists()


def half_done(folder: SweepFolder) -> None:
    """FedLR is validated, of FeDeRA all runs failed but one that is interrupted after a round."""
    for place, run in enumerate(plan().validation()):
        begun_run = begun(folder.root("validation"), run)
        if run.method == "fedlr":
            ended(begun_run, [0.5, run.lr])
        elif place < 7:
            ended(begun_run, [], "failed", "diverged")
        else:
            ended(begun_run, [0.5], "interrupted")


def test_half_way_a_method_may_have_its_rate_and_the_other_not(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    half_done(folder)
    found = survey(folder, plan())
    assert (found.total, found.count("done"), found.count("failed"), found.left) == (12, 4, 3, 5)
    assert found.chosen == {"fedlr": 1e-3}
    assert found.rounds_left == 1 + 4 * 2
    assert found.hopeless == ()


def test_a_method_none_of_whose_runs_is_done_is_hopeless_and_counts_no_more(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    half_done(folder)
    last = folder.standings(plan().validation())[-1].folder
    assert last is not None
    last.mark("failed", "diverged too")
    found = survey(folder, plan())
    assert (found.total, found.left, found.hopeless) == (10, 2, ("federa",))


def test_programs_read_each_run_and_each_row(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    half_done(folder)
    told = survey(folder, plan()).overview(folder)
    assert (told.done, told.failed, told.left, len(told.runs), len(told.results)) == (4, 3, 5, 12, 4)
    failed = next(line for line in told.runs if line.state == "failed")
    assert (failed.method, failed.reason) == ("federa", "diverged")
    open_tests = [(line.method, line.lr) for line in told.runs if line.stage == "test"]
    assert open_tests == [("fedlr", 1e-3), ("fedlr", 1e-3), ("federa", None), ("federa", None)]


def test_time_left_is_from_the_mean_seconds_of_a_round() -> None:
    assert left_s([10.0, 20.0], [5, 5], rounds_left=8, jobs=2) == pytest.approx(12.0)
    assert left_s([], [], rounds_left=8, jobs=1) is None
    assert left_s([3.0], [0], rounds_left=8, jobs=1) is None
