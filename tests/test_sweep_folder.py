"""The folder of a sweep: what was asked, and how far its runs are by what their headers say."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweep_stage import asked, begun, ended, opened, plan

from harness.errors import StoreError
from harness.sweep.folder import ASKED, SweepFolder


def test_the_same_sweep_finds_its_folder_again(tmp_path: Path) -> None:
    first = opened(tmp_path / "runs")
    again = opened(tmp_path / "runs")
    assert first.path == again.path
    assert sorted(path.name for path in first.path.iterdir()) == [
        "logs",
        "sweep.json",
        "sweep.lock",
        "test",
        "validation",
    ]


def test_one_process_at_a_time_carries_a_sweep_out(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    second = SweepFolder(tmp_path, asked()).locked()
    with folder.locked(), pytest.raises(StoreError, match="is being carried out by another process; wait"), second:
        pytest.fail("two processes hold the sweep")
    with folder.locked():
        pass


def test_a_folder_that_asks_for_something_else_is_left_alone(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    text = (folder.path / ASKED).read_text()
    (folder.path / ASKED).write_text(text.replace('"seeds": [0, 1]', '"seeds": [0]').replace("0.004", "0.003"))
    with pytest.raises(StoreError, match=r"sweep\.json asks for another sweep"):
        opened(tmp_path)
    (folder.path / ASKED).write_text(text.replace('"models"', '"model"'))
    with pytest.raises(StoreError, match=r"sweep\.json cannot be read \(.*unknown field"):
        opened(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StoreError, match="could not be made"):
        opened(tmp_path / "runs")


def test_a_run_is_found_by_its_header_whatever_its_folder_s_name(tmp_path: Path) -> None:
    folder, runs = opened(tmp_path), plan().validation()
    ended(begun(folder.root("validation"), runs[3], "any-name"), [0.5, 0.4])
    standings = folder.standings(runs)
    assert [one.state for one in standings] == ["left"] * 3 + ["done"] + ["left"] * 4
    assert standings[3].outcome is not None
    assert (standings[3].outcome.best, standings[3].rounds_left) == (0.5, 0)


def test_a_run_of_another_profile_is_no_run_of_the_sweep(tmp_path: Path) -> None:
    folder, runs = opened(tmp_path), plan(asked(tune_rounds=1)).validation()
    ended(begun(folder.root("validation"), runs[0]), [0.5])
    assert {one.state for one in folder.standings(plan().validation())} == {"left"}


def test_a_folder_says_how_far_its_run_is(tmp_path: Path) -> None:
    folder, runs = opened(tmp_path), plan().validation()
    root = folder.root("validation")
    ended(begun(root, runs[0]), [0.5], "failed", "it diverged")
    ended(begun(root, runs[1]), [0.5], "running")  # and nobody holds it: its process was killed
    held = begun(root, runs[2])
    with held.locked():
        failed, killed, running = folder.standings(runs[:3])
    assert failed.outcome is not None
    assert (failed.state, failed.outcome.reason, failed.rounds_left) == ("failed", "it diverged", 0)
    assert (killed.state, killed.rounds_left, killed.outcome) == ("interrupted", 1, None)
    assert (running.state, running.rounds_left) == ("running", 2)


def test_of_two_folders_of_a_run_the_one_that_is_done_counts(tmp_path: Path) -> None:
    folder, runs = opened(tmp_path), plan().validation()
    root = folder.root("validation")
    ended(begun(root, runs[0], "a"), [], "interrupted")
    ended(begun(root, runs[0], "b"), [0.5, 0.6])
    ended(begun(root, runs[0], "c"), [], "failed")
    (standing,) = folder.standings(runs[:1])
    assert standing.folder is not None
    assert standing.folder.path.name == "b"


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    (folder.path / "sweep.csv").mkdir()
    with pytest.raises(
        StoreError, match=r"sweep\.csv could not be written \(.*; mend that, then give the command again"
    ):
        folder.write("sweep.csv", b"")
