"""How a sweep ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sweep_stage import asked, begun, ended, opened, plan

from harness.sweep.ending import broken_off, finish, write_results
from harness.sweep.folder import SweepFolder
from harness.sweep.options import SweepOptions
from harness.sweep.survey import survey

OPTIONS = SweepOptions(profile="made-up", methods="federa", lrs="4e-3,1e-3", seeds="0")
ONE = asked(methods=("federa",), seeds=(0,))


def validated(root: Path, states: Sequence[str]) -> SweepFolder:
    """A sweep of FeDeRA with two rates, whose validation runs ended so."""
    folder = opened(root, ONE)
    for run, state in zip(plan(ONE).validation(), states, strict=True):
        ended(begun(folder.root("validation"), run), [0.5], state)
    return folder


def test_results_are_kept_as_csv_and_markdown(tmp_path: Path) -> None:
    folder = validated(tmp_path, ("done", "failed"))
    write_results(folder, survey(folder, plan(ONE)))
    assert "federa,0.004,true,accuracy,1,0,0.5,," in (folder.path / "sweep.csv").read_text()
    assert (folder.path / "sweep.md").read_text().startswith(f"# {folder.path.name}\n")


def test_a_method_that_could_not_be_tuned_is_said_and_the_exit_code_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = validated(tmp_path, ("failed", "failed"))
    assert finish(OPTIONS, folder, survey(folder, plan(ONE)), []) == 1
    told = capsys.readouterr()
    assert "federa" in told.out
    assert told.err == (
        "federa-bench: federa: no validation run is done, so it was not tested; try again with: federa-bench sweep "
        "made-up --methods federa --lrs 4e-3,1e-3 --seeds 0 --retry-failed\n"
    )


def test_failed_and_broken_test_runs_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = asked(methods=("federa",), rates=[1e-3])
    folder, runs = opened(tmp_path, two), plan(two).test({"federa": 1e-3})
    for run, state in zip(runs, ("failed", "interrupted"), strict=True):
        ended(begun(folder.root("test"), run), [], state)
    options = SweepOptions(profile="made-up", as_json=True)
    assert finish(options, folder, survey(folder, plan(two)), folder.standings(runs)) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["failed"] == 1
    assert "1 of 2 test runs failed; try again with: " in told.err
    assert "1 run ended before being done (the first: test: federa, lr 0.001, seed 1); the logs tell why" in told.err


def test_what_broke_off_is_named_with_the_command(tmp_path: Path) -> None:
    folder = validated(tmp_path, ("interrupted", "interrupted"))
    said = broken_off(folder.standings(plan(ONE).validation()), OPTIONS)
    assert said.startswith("2 runs ended before being done (the first: validation: federa, lr 0.004, seed 0)")
    assert said.endswith(OPTIONS.command)
