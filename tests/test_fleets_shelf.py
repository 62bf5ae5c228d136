"""Blobs are found by their hash alone; a few files stay open, and none after closing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stub_controller import blob

from harness.errors import BlobError
from harness.fleets.shelf import OPEN_FILES, Shelf
from harness.protocol.messages import BlobRef, Fetch


def shelved(shelf: Shelf, folder: Path, data: bytes) -> BlobRef:
    ref = blob("b", data)
    (folder / ref.sha256).write_bytes(data)
    shelf.put(ref, folder / ref.sha256)
    return ref


def fetch(ref: BlobRef, offset: int = 0, credit_bytes: int = 100, chunk_bytes: int = 4) -> Fetch:
    return Fetch(sha256=ref.sha256, offset=offset, credit_bytes=credit_bytes, chunk_bytes=chunk_bytes)


def open_below(folder: Path) -> int:
    """How many descriptors of this process are files of ``folder``."""
    links = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]
    return sum(os.readlink(link).startswith(str(folder)) for link in links if link.is_symlink())


def test_a_fetch_is_answered_in_chunks_from_its_offset_on(tmp_path: Path) -> None:
    shelf = Shelf()
    ref = shelved(shelf, tmp_path, b"0123456789")
    chunks = [(span.offset, data) for span, data in shelf.answer(fetch(ref, offset=3, credit_bytes=6))]
    shelf.close()
    assert chunks == [(3, b"3456"), (7, b"78")]


def test_only_a_few_files_stay_open_and_none_in_the_end(tmp_path: Path) -> None:
    shelf = Shelf()
    refs = [shelved(shelf, tmp_path, str(number).encode()) for number in range(3 * OPEN_FILES)]
    for ref in [*refs, *refs]:
        assert [data for _, data in shelf.answer(fetch(ref))]
        assert open_below(tmp_path) <= OPEN_FILES
    shelf.close()
    assert open_below(tmp_path) == 0


def test_what_is_not_offered_or_beyond_the_end_is_refused(tmp_path: Path) -> None:
    shelf = Shelf()
    ref = shelved(shelf, tmp_path, b"0123456789")
    with pytest.raises(BlobError, match="is not offered in this run"):
        list(shelf.answer(fetch(blob("x", b"secret"))))
    with pytest.raises(BlobError, match="does not fit"):
        list(shelf.answer(fetch(ref, offset=10)))


def test_a_state_that_was_pruned_meanwhile_is_a_blob_error_and_no_crash(tmp_path: Path) -> None:
    shelf = Shelf()
    ref = shelved(shelf, tmp_path, b"old state")
    (tmp_path / ref.sha256).unlink()
    with pytest.raises(BlobError, match=f"cannot be read from {tmp_path}.*No such file"):
        list(shelf.answer(fetch(ref)))
