"""What people see of a sweep."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from sweep_stage import asked, begun, ended, opened, plan

from harness.sweep import show
from harness.sweep.folder import SweepFolder
from harness.sweep.survey import survey


def half_done(root: Path) -> SweepFolder:
    """The first run is done, the second failed, the third stopped."""
    folder, runs = opened(root), plan().validation()
    ended(begun(folder.root("validation"), runs[0]), [0.5, 0.625])
    ended(begun(folder.root("validation"), runs[1]), [], "failed", "loss [nan]")
    ended(begun(folder.root("validation"), runs[2]), [0.5], "interrupted")
    return folder


def screen(folder: SweepFolder, jobs: int = 1) -> tuple[show.Screen, io.StringIO]:
    written = io.StringIO()
    return show.Screen(Console(file=written, width=200), lambda: survey(folder, plan()), folder, jobs), written


def test_the_opening_says_what_there_is_and_how_far_it_is(tmp_path: Path) -> None:
    folder, written = half_done(tmp_path), io.StringIO()
    show.opening(Console(file=written, width=200), folder, survey(folder, plan()))
    first, second = written.getvalue().splitlines()
    assert (
        first == f"{folder.path}: 8 validation runs of fedlr, federa, then 4 test runs of fedlr, federa with seeds 0, 1"
    )
    assert second == "1 of 12 runs done, 1 failed, 10 left"


def test_the_opening_of_a_small_sweep_is_short(tmp_path: Path) -> None:
    small, written = asked(methods=("federa",), rates=None, seeds=(3,)), io.StringIO()
    show.opening(
        Console(file=written, width=200),
        SweepFolder(tmp_path, small),
        survey(SweepFolder(tmp_path, small), plan(small)),
    )
    assert written.getvalue().splitlines()[0].endswith(": 1 test run of federa with seed 3")


def test_the_plan_lists_every_run_with_what_is_done(tmp_path: Path) -> None:
    folder, written = half_done(tmp_path), io.StringIO()
    show.plan(Console(file=written, width=200), survey(folder, plan()), folder)
    lines = [
        [cell.strip() for cell in line.split("│")[1:-1]] for line in written.getvalue().splitlines() if "│" in line
    ]
    assert len(lines) == 12
    assert lines[0] == ["validation", "fedlr", "0.004", "0", "done", "2/2", "0.6250"]
    assert lines[1] == ["validation", "fedlr", "0.001", "0", "failed", "0/2", "loss [nan]"]
    assert lines[2][4:6] == ["interrupted", "1/2"]
    assert lines[8] == ["test", "fedlr", "the best", "0", "left", "0/2", ""]


def test_a_run_that_ends_is_followed_by_what_is_left(tmp_path: Path) -> None:
    folder = half_done(tmp_path)
    done, failed, stopped = folder.standings(plan().validation())[:3]
    shown, written = screen(folder)
    shown.began(stopped)
    shown.ended(done, 4.0, 2)
    shown.ended(failed, 2.0, 0)
    shown.ended(stopped, 3.0, 1)
    assert written.getvalue().splitlines() == [
        "validation: federa, lr 0.004, seed 0: goes on after round 1",
        "validation: fedlr, lr 0.004, seed 0: done, accuracy 0.6250",
        "1 of 12 runs done, 1 failed, 10 left, about 38 s",
        "validation: fedlr, lr 0.001, seed 0: failed: loss [nan]",
        "1 of 12 runs done, 1 failed, 10 left, about 57 s",
        "validation: federa, lr 0.004, seed 0: its process ended before it was done; the end of "
        f"{folder.path}/logs/run-2.log tells why",
        "1 of 12 runs done, 1 failed, 10 left, about 57 s",
    ]


def test_a_run_that_is_another_s_is_named(tmp_path: Path) -> None:
    folder = half_done(tmp_path)
    shown, written = screen(folder)
    shown.left_to_another(folder.standings(plan().validation())[2])
    assert (
        written.getvalue()
        .strip()
        .endswith("waiting for the process that writes " + str(folder.root("validation") / "run-2"))
    )


def test_results_are_a_table_with_its_caption(tmp_path: Path) -> None:
    folder, written = half_done(tmp_path), io.StringIO()
    show.results(Console(file=written, width=200), survey(folder, plan(asked())).rows)
    assert "validation accuracy" in written.getvalue()
    assert "0.6250" in written.getvalue()
    assert "a failed run counts as 0" in written.getvalue()
