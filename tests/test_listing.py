"""The lists people read: runs, experiments, and what a run would do."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from run_folders import EXPERIMENT, header, round_record

from harness import listing
from harness.errors import StoreError, UsageError
from harness.profiles import FraProfile, MethodProfile, RoundsProfile
from harness.records import READABLE_WORDS
from harness.store import RunFolder


def run_folder(root: Path, name: str, state: str, rounds: int = 0) -> RunFolder:
    folder = RunFolder.create(root, name)
    folder.write_header(header("fedlr", 3, state=state))
    for number in range(1, rounds + 1):
        folder.append_round(round_record(number, 0.25 * number))
    return folder


def printed(show, *arguments) -> str:
    written = io.StringIO()
    show(Console(file=written, width=160), *arguments)
    return written.getvalue()


def test_a_row_says_how_far_a_run_is_and_how_it_goes_on(tmp_path: Path) -> None:
    folder = run_folder(tmp_path, "b", "interrupted", rounds=2)
    run_folder(tmp_path, "a", "done")
    done, stopped = listing.runs([], tmp_path)
    assert (done.state, done.rounds_done, done.last, done.elapsed_s, done.next_command) == ("done", 0, None, None, None)
    assert (stopped.method, stopped.seed, stopped.rounds_done, stopped.rounds) == ("fedlr", 3, 2, 30)
    assert (stopped.metric, stopped.last, stopped.elapsed_s) == ("accuracy", 0.5, 8.0)
    assert stopped.next_command == f"federa-bench resume {folder.path}"


def test_a_run_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    run_folder(tmp_path, "a", "done")
    (run_folder(tmp_path, "b", "done").path / "header.json").write_text("{")
    older = run_folder(tmp_path, "c", "done")
    older.write_header(msgspec.structs.replace(older.read_header(), schema=1))
    rows = listing.runs([], tmp_path)
    assert [row.state for row in rows] == ["done", "unreadable", "unreadable"]
    shown = printed(listing.show_runs, rows, tmp_path)
    assert "header.json cannot be read" in shown
    assert f"has schema 1, this version reads {READABLE_WORDS}; use the federa-bench that wrote it" in shown
    with pytest.raises(StoreError, match="schema 1"):
        listing.runs([older.path], tmp_path)


def test_a_run_is_running_only_while_a_controller_holds_it(tmp_path: Path) -> None:
    folder = run_folder(tmp_path, "r", "running")
    with folder.locked():
        assert listing.runs([], tmp_path)[0].state == "running"
    row = listing.runs([], tmp_path)[0]
    assert (row.state, row.next_command) == ("interrupted", f"federa-bench resume {folder.path}")


def test_a_failed_run_can_go_on_too(tmp_path: Path) -> None:
    run_folder(tmp_path, "r", "failed")
    assert listing.runs([], tmp_path)[0].next_command


def test_given_folders_stand_in_the_order_they_were_given(tmp_path: Path) -> None:
    paths = [run_folder(tmp_path, name, "done").path for name in ("b", "a")]
    assert [row.path for row in listing.runs(paths, tmp_path)] == [str(path) for path in paths]
    with pytest.raises(UsageError, match=r"is not a run folder.*federa-bench status"):
        listing.runs([tmp_path], tmp_path)


def test_the_table_shows_names_as_they_are_and_the_commands_below(tmp_path: Path) -> None:
    run_folder(tmp_path, "[bold]r[x]", "interrupted", rounds=1)
    text = printed(listing.show_runs, listing.runs([], tmp_path), tmp_path)
    assert "[bold]r[x]" in text
    assert "accuracy 0.250" in text
    assert f"go on with: federa-bench resume {tmp_path}/[bold]r[x]" in text


def test_a_narrow_terminal_shows_a_run_in_a_few_lines(tmp_path: Path) -> None:
    run_folder(tmp_path, "20news-roberta-micro-rank-128-federa-s0-20260131-142501", "interrupted", rounds=2)
    rows = listing.runs([], tmp_path)
    written = io.StringIO()
    listing.show_runs(Console(file=written, width=80), rows, tmp_path)
    table = written.getvalue().partition("go on with")[0].splitlines()
    assert max(map(len, table)) <= 80
    assert len([line for line in table if line.strip()]) <= 4
    assert "method" in printed(listing.show_runs, rows, tmp_path)


def test_a_sweep_is_named_with_the_command_that_shows_its_runs(tmp_path: Path) -> None:
    (tmp_path / "x-sweep-1").mkdir()
    (tmp_path / "x-sweep-1" / "sweep.json").write_text("{}")
    text = printed(listing.show_runs, listing.runs([], tmp_path), tmp_path)
    assert text == f"a sweep; its runs: federa-bench status --out {tmp_path}/x-sweep-1/test\n"
    named = listing.runs([run_folder(tmp_path / "else", "r", "done").path], tmp_path)
    assert "a sweep" not in printed(listing.show_runs, named, tmp_path)


def test_without_runs_the_first_command_is_told(tmp_path: Path) -> None:
    text = printed(listing.show_runs, listing.runs([], tmp_path / "[new]"), tmp_path / "[new]")
    assert text == f"no runs in {tmp_path}/[new] yet; start one with: make bench METHOD=federa\n"


def test_a_plan_names_everything_a_run_is_made_of() -> None:
    text = printed(listing.plan, EXPERIMENT, ["fedlr", "federa"])
    for words in ("made-up", "fedlr (lr 0.0005), federa", "tiny, topics", "40 (fednlp-dirichlet", "30, 4 clients each"):
        assert words in text
    assert "nothing was started" in text


def test_a_plan_says_what_of_a_method_was_chosen() -> None:
    settings = MethodProfile(lr=1e-4, fra=FraProfile(residual="fold"), ranks=())
    of = msgspec.structs.replace(EXPERIMENT, methods={"fra": settings})
    assert "fra (lr 0.0001, fra.residual fold), fedlr (lr 0.0005)" in printed(listing.plan, of, ["fra", "fedlr"])


def test_a_plan_says_how_many_clients_are_chosen_beyond_need() -> None:
    of = msgspec.structs.replace(EXPERIMENT, rounds=RoundsProfile(over_selection=2))
    assert "30, 10 clients each, the first of 12 chosen; the first: " in printed(listing.plan, of, ["fedlr"])


def test_rows_are_json_for_programs(tmp_path: Path) -> None:
    run_folder(tmp_path, "r", "done", rounds=1)
    (row,) = msgspec.json.decode(msgspec.json.encode(listing.runs([], tmp_path)))
    assert (row["state"], row["last"], row["next_command"]) == ("done", 0.25, None)


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    folder = run_folder(tmp_path, "r", "failed")
    folder.mark("failed", "no agents came")
    assert "r failed: no agents came\n" in printed(listing.show_runs, listing.runs([], tmp_path), tmp_path)
