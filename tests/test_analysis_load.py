"""A run folder is read strictly; what a kill leaves unfinished is left out and said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import run_folders

from analysis.disturbances import disturbances
from analysis.load import load_run, load_runs
from harness.errors import FederaBenchError, ProfileError, StoreError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_folders.write(tmp_path / "run", run_folders.run(clients=[run_folders.client_record()]))


def test_what_was_written_is_read(folder: Path) -> None:
    run = load_run(folder)
    expected = run_folders.run(clients=[run_folders.client_record()])
    assert (run.header, run.rounds, run.clients, run.notes) == (expected.header, expected.rounds, expected.clients, ())
    assert run.experiment == run_folders.EXPERIMENT


def test_a_partition_is_read_where_there_is_one(tmp_path: Path, folder: Path) -> None:
    held = run_folders.partition(3, 2)
    assert load_run(folder).partition is None
    assert load_run(run_folders.write(tmp_path / "held", run_folders.demo("federa", holding=held))).partition == held


def test_a_damaged_partition_is_an_error_that_names_it(folder: Path) -> None:
    (folder / "partition.json").write_text('{"kind": "iid"}')
    with pytest.raises(StoreError, match=r"partition\.json is damaged"):
        load_run(folder)


@pytest.mark.parametrize("cut", [1, 40])
def test_an_unfinished_last_line_is_left_out_and_noted(folder: Path, cut: int) -> None:
    path = folder / "rounds.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][: -cut - 1])
    run = load_run(folder)
    assert len(run.rounds) == 3
    assert run.notes == (f"{path}: the last line is unfinished and was left out.",)


def test_a_last_line_that_lacks_only_its_newline_is_whole(folder: Path) -> None:
    path = folder / "rounds.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    run = load_run(folder)
    assert (len(run.rounds), run.notes) == (4, ())


def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(folder: Path) -> None:
    path = folder / "rounds.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"round":2', b'"round":"two"'))
    with pytest.raises(StoreError, match=r"rounds.jsonl, line 2 is damaged"):
        load_run(folder)


def test_bytes_that_are_not_text_are_an_error_that_names_the_file(folder: Path) -> None:
    (folder / "header.json").write_bytes(b'{"schema": 2, "run_id": "\xff"}')
    with pytest.raises(StoreError, match=r"header\.json is damaged"):
        load_run(folder)


@pytest.mark.parametrize("name", ["header.json", "rounds.jsonl", "clients.jsonl"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UsageError, match=rf"{name} is missing"):
        load_run(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: there is no such folder"):
        load_run(tmp_path / "nowhere")


@pytest.mark.parametrize("schema", [2, 3, 4, 5])
def test_runs_of_older_schemas_are_read_and_shown(folder: Path, schema: int) -> None:
    """They tell nothing of what later ones record, and their profiles lack the keys that came later."""
    later = {
        "header.json": ("over_selection", "null_noise", "initialisation", "ranks", "fra", "server", "privacy", "prox"),
        "rounds.jsonl": ("spare", "late", "errors", "privacy", "client_metrics"),
        "clients.jsonl": ("breaks", "resumed_bytes"),
    }
    for name, keys in later.items():
        lines = [_without(msgspec.json.decode(line), keys) for line in (folder / name).read_bytes().splitlines()]
        (folder / name).write_bytes(msgspec.json.Encoder().encode_lines(lines))
    header = msgspec.json.decode((folder / "header.json").read_bytes())
    (folder / "header.json").write_bytes(msgspec.json.encode(header | {"schema": schema}))
    run = load_run(folder)
    assert (len(run.rounds), run.rounds[0].spare, run.rounds[0].late) == (4, (), ())
    assert all(client.undisturbed for client in run.clients)
    assert not list(disturbances("it", run))
    assert all((r.errors, r.privacy, r.client_metrics) == (None, None, {}) for r in run.rounds)


def _without(tree: Any, keys: tuple[str, ...]) -> Any:
    """A tree without these keys, wherever they stand."""
    if not isinstance(tree, dict):
        return tree
    return {key: _without(value, keys) for key, value in tree.items() if key not in keys}


def test_another_schema_asks_for_the_version_that_wrote_it(folder: Path) -> None:
    (folder / "header.json").write_text('{"schema": 99, "shape": "unknown"}')
    with pytest.raises(StoreError, match="schema 99, this version reads 2 to 6"):
        load_run(folder)


def test_a_profile_that_is_not_valid_is_named_at_once(tmp_path: Path) -> None:
    made = run_folders.run(profile={"name": "x"})
    with pytest.raises(ProfileError, match=r"header\.json"):
        load_run(run_folders.write(tmp_path / "run", made))


def test_a_folder_of_runs_stands_for_its_runs_each_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run_folders.write(tmp_path / name, run_folders.run(run_id=name))
    (tmp_path / "reports").mkdir()
    loaded = load_runs([tmp_path, tmp_path / "a"])
    assert [run.header.run_id for run in loaded.runs] == ["a", "b"]


def test_a_run_in_a_folder_of_runs_that_cannot_be_read_is_left_out_and_said(tmp_path: Path) -> None:
    run_folders.write(tmp_path / "a", run_folders.run(run_id="a"))
    run_folders.write(tmp_path / "b", run_folders.run(run_id="b"))
    (tmp_path / "b" / "rounds.jsonl").unlink()
    loaded = load_runs([tmp_path])
    assert len(loaded.runs) == 1
    assert "A run was left out" in loaded.left_out[0]
    with pytest.raises(FederaBenchError):  # the same run, named, must be readable
        load_runs([tmp_path / "a", tmp_path / "b"])


def test_a_folder_without_runs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither it nor a folder in it"):
        load_runs([tmp_path])
