"""The states of a run as files: which are kept, and which go."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from small_files import files_of

from harness.errors import StoreError
from harness.spare import SPARE
from harness.states import StateFiles


@pytest.fixture
def files(tmp_path: Path) -> StateFiles:
    for inner in ("checkpoints", "updates"):
        (tmp_path / "run" / inner).mkdir(parents=True)
    return StateFiles(tmp_path / "run")


def test_closed_rounds_lose_their_updates_and_old_checkpoints(files: StateFiles) -> None:
    for round in range(5):
        files.checkpoint(round).touch()
        files.update(round, 12).touch()
    files.prune(closed_round=3)
    assert [path.name for path in (files.path / "checkpoints").iterdir() if path.suffix == ""] == [SPARE]
    kept = sorted(str(path.relative_to(files.path)) for path in files.path.rglob("*.safetensors"))
    assert kept == [
        "checkpoints/round-0000.safetensors",
        "checkpoints/round-0002.safetensors",
        "checkpoints/round-0003.safetensors",
        "checkpoints/round-0004.safetensors",
        "updates/round-0004/client-0012.safetensors",
    ]
    files.drop_outgoing()
    assert not (files.path / "checkpoints" / SPARE).exists()


def test_what_clients_are_given_stays_for_the_open_round_and_the_one_before(files: StateFiles) -> None:
    for round in range(1, 6):
        files.outgoing(round).mkdir(parents=True)
    files.prune(closed_round=3)
    assert sorted(folder.name for folder in (files.path / "outgoing").iterdir()) == [
        "round-0003",
        "round-0004",
        "round-0005",
    ]
    files.drop_outgoing()
    files.drop_outgoing()
    assert not (files.path / "outgoing").exists()


def test_the_first_initial_state_is_kept_and_another_one_shows_by_its_hash(files: StateFiles, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"first")
    first = files.keep_initial_state(state)
    state.write_bytes(b"other")
    assert files.keep_initial_state(state) == hashlib.sha256(b"other").hexdigest() != first
    assert files.checkpoint(0).read_bytes() == b"first"


def test_a_damaged_initial_state_is_written_again_from_what_was_prepared(files: StateFiles, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"first")
    files.checkpoint(0).write_bytes(b"fir")
    files.restore_initial_state(state)
    assert files.checkpoint(0).read_bytes() == b"first"


def test_a_disk_that_is_full_is_told_with_the_file_and_what_to_do(files: StateFiles, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_bytes(bytes(20_000))
    with files_of(10_000), pytest.raises(StoreError, match=r"disk is full: .*round-0000\.safetensors could not be"):
        files.keep_initial_state(state)
    assert list((tmp_path / "run" / "checkpoints").iterdir()) == []


def test_a_state_that_is_not_there_cannot_be_secured_and_the_sentence_names_it(files: StateFiles) -> None:
    with pytest.raises(StoreError, match=r"round-0003\.safetensors could not be written"):
        files.secure(3)
    files.checkpoint(3).write_bytes(b"third")
    files.secure(3)
    assert files.checkpoint(3).read_bytes() == b"third"
