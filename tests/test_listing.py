"""Runs and plans as people read them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from run_folders import EXPERIMENT, run, write

from harness import listing
from harness.errors import UsageError
from harness.store import RunFolder


def printed(show: object, *arguments: object) -> str:
    written = io.StringIO()
    show(Console(file=written, width=140), *arguments)  # type: ignore[operator]
    return written.getvalue()


def test_a_finished_run_shows_its_rounds_and_last_metric(tmp_path: Path) -> None:
    write(tmp_path / "a", run((0.5, 0.75), state="done"))
    (row,) = listing.runs([], tmp_path)
    assert (row.state, row.rounds_done, row.rounds, row.last, row.next_command) == ("done", 2, 30, 0.75, None)
    assert "accuracy 0.750" in printed(listing.show_runs, [row], tmp_path)


def test_a_run_that_nobody_holds_was_interrupted_and_says_how_to_go_on(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", run((0.5,), state="running"))
    (row,) = listing.runs([folder], tmp_path)
    assert (row.state, row.next_command) == ("interrupted", f"federa-bench resume {folder}")
    with RunFolder.open(folder).locked():
        assert listing.runs([folder], tmp_path)[0].state == "running"


def test_no_runs_is_a_sentence_with_the_command_that_makes_one(tmp_path: Path) -> None:
    assert "no runs in" in (text := printed(listing.show_runs, listing.runs([], tmp_path), tmp_path))
    assert "make bench METHOD=federa" in text


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not a run folder: it has no header\.json"):
        listing.runs([tmp_path], tmp_path)


def test_a_plan_names_methods_clients_and_target() -> None:
    text = printed(listing.plan, EXPERIMENT, ["fedlr", "federa"])
    for words in (
        "fedlr (lr 0.0005), federa (lr 0.0005)",
        "40 (fednlp-dirichlet",
        "30, 4 clients each",
        "accuracy 0.8",
    ):
        assert words in text
