"""One file that is not needed any more is kept to be written over, if nobody reads it yet."""

from __future__ import annotations

import os
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
import pytest

from harness import spare
from harness.learning.slices import Array, write_slices


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old"
    path.write_bytes(b"a state of the past")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_kept_is_taken_once(old: Path, tmp_path: Path) -> None:
    spare.kept_or_removed(old)
    assert names(tmp_path) == [spare.SPARE]
    assert spare.taken(tmp_path / "new")
    assert not spare.taken(tmp_path / "newer")
    assert names(tmp_path) == ["new"]


def test_a_folder_has_one_spare_and_loses_it_when_it_is_dropped(old: Path, tmp_path: Path) -> None:
    spare.kept_or_removed(old)
    old.write_bytes(b"another")
    spare.kept_or_removed(old)
    assert names(tmp_path) == [spare.SPARE]
    spare.dropped(tmp_path)
    spare.dropped(tmp_path)
    assert names(tmp_path) == []


def test_what_is_gone_already_is_no_spare(tmp_path: Path) -> None:
    spare.kept_or_removed(tmp_path / "gone")
    assert names(tmp_path) == []


def test_what_somebody_reads_is_removed_and_stays_as_it_was_for_the_reader(old: Path, tmp_path: Path) -> None:
    with old.open("rb") as reader:
        spare.kept_or_removed(old)
        assert names(tmp_path) == []
        assert reader.read() == b"a state of the past"


def test_what_is_mapped_into_memory_is_removed(old: Path, tmp_path: Path) -> None:
    with old.open("rb") as file:
        mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
    spare.kept_or_removed(old)
    assert names(tmp_path) == []
    assert mapped[:] == b"a state of the past"
    mapped.close()


def test_what_has_another_name_is_removed(old: Path, tmp_path: Path) -> None:
    os.link(old, tmp_path / "another")
    spare.kept_or_removed(old)
    assert names(tmp_path) == ["another"]


@pytest.mark.parametrize("spare_values", [3, 2_000_000])
def test_a_state_that_is_written_over_a_spare_has_its_own_bytes(spare_values: int, tmp_path: Path) -> None:
    values: Array = np.arange(1_000_000, dtype=np.float32)
    digest = write_slices(tmp_path / "fresh", {"w": values.shape}, [values])
    old, over = tmp_path / "old", tmp_path / "over"
    write_slices(old, {"w": (spare_values,)}, [np.ones(spare_values, np.float32)])
    inode = old.stat().st_ino
    spare.kept_or_removed(old)
    assert write_slices(over, {"w": values.shape}, [values]) == digest
    assert over.stat().st_ino == inode
    assert over.read_bytes() == (tmp_path / "fresh").read_bytes()
    assert names(tmp_path) == ["fresh", "over"]


def _broken() -> Array:
    raise ValueError("no more values")


def test_a_state_that_cannot_be_made_leaves_no_half_of_it(old: Path, tmp_path: Path) -> None:
    spare.kept_or_removed(old)
    with pytest.raises(ValueError, match="no more values"):
        write_slices(tmp_path / "state", {"w": (5,)}, (_broken() for _ in range(1)))
    assert names(tmp_path) == []
