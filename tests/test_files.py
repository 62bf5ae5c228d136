"""A file is there whole or not at all."""

from pathlib import Path

import pytest

from harness.learning.files import sha256_of, written_whole


def _write_and_fail(path: Path) -> None:
    with written_whole(path) as temporary:
        temporary.write_bytes(b"ne")
        raise OSError("disk is full")


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="disk is full"):
        _write_and_fail(path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


def test_a_write_that_ends_well_takes_the_place(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"old")
    with written_whole(path) as temporary:
        temporary.write_bytes(b"abc")
    assert path.read_bytes() == b"abc"
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
