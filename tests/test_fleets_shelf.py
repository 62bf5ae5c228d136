"""Blobs are found by their hash alone; a few files stay open, and none after closing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stub_controller import blob

from harness.errors import BlobError
from harness.fleets.shelf import KEPT_BYTES, OPEN_FILES, Shelf
from harness.protocol.messages import MAX_CHUNK_BYTES, BlobRef, Fetch
from harness.protocol.transfer import WINDOW_BYTES


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


def test_what_is_of_a_round_goes_with_it_and_what_is_of_the_run_stays(tmp_path: Path) -> None:
    shelf = Shelf()
    shard = shelved(shelf, tmp_path, b"a shard")
    states = [blob("state", f"state {number}".encode()) for number in range(1, 101)]
    for round, state in enumerate(states, 1):
        (tmp_path / state.sha256).write_bytes(f"state {round}".encode())
        for ref in (state, shard):  # a state may be what was shipped once, too
            shelf.put_for(round, ref, tmp_path / ref.sha256)
        assert b"".join(data for _, data in shelf.answer(fetch(state))) == f"state {round}".encode()
        assert b"".join(data for _, data in shelf.answer(fetch(shard))) == b"a shard"
        assert open_below(tmp_path) <= 2, "files of earlier rounds are closed"
        for gone in states[: round - 1]:
            with pytest.raises(BlobError, match="not offered in this run, or not any more"):
                list(shelf.answer(fetch(gone)))
    shelf.put_for(101, states[0], tmp_path / states[0].sha256)
    assert b"".join(data for _, data in shelf.answer(fetch(shard))) == b"a shard"
    shelf.close()


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


def test_what_many_agents_fetch_is_read_once(tmp_path: Path) -> None:
    shelf = Shelf()
    state = blob("state", b"0123456789")
    (tmp_path / "state").write_bytes(b"0123456789")
    shelf.put_for(1, state, tmp_path / "state")
    first = list(shelf.answer(fetch(state)))
    (tmp_path / "state").write_bytes(b"")
    assert [data is before for (_, data), (_, before) in zip(shelf.answer(fetch(state)), first, strict=True)] == 3 * [
        True
    ]
    shelf.put_for(2, state, tmp_path / "state")
    with pytest.raises(BlobError, match="has lost bytes"):
        list(shelf.answer(fetch(state)))
    shelf.close()


def test_only_so_much_of_what_was_read_is_kept(tmp_path: Path) -> None:
    shelf = Shelf()
    large = shelved(shelf, tmp_path, bytes(KEPT_BYTES + 4 * MAX_CHUNK_BYTES))
    first, second = (0, KEPT_BYTES // 2), (KEPT_BYTES // 2, KEPT_BYTES // 2 + 4 * MAX_CHUNK_BYTES)
    for begin, size_bytes in (first, second):
        for offset in range(begin, begin + size_bytes, WINDOW_BYTES):
            list(shelf.answer(fetch(large, offset, WINDOW_BYTES, MAX_CHUNK_BYTES)))
    assert 0 < shelf.kept_bytes <= KEPT_BYTES
    shelf.close()
    assert shelf.kept_bytes == 0
