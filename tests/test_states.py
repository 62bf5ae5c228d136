"""The states of a run as files: which are kept, and which go."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from small_files import files_of

from harness.errors import StoreError
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
    kept = sorted(str(path.relative_to(files.path)) for path in files.path.rglob("*.safetensors"))
    assert kept == [
        "checkpoints/round-0000.safetensors",
        "checkpoints/round-0002.safetensors",
        "checkpoints/round-0003.safetensors",
        "checkpoints/round-0004.safetensors",
        "updates/round-0004/client-0012.safetensors",
    ]


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
