"""A large file on its way to the disk: all of its parts, in their order, under one hash."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_files import files_of

from harness.learning.landing import BESIDE_BYTES, FLUSH_BYTES, landed

SIZES = st.lists(st.sampled_from([0, 1, 100, BESIDE_BYTES - 1, BESIDE_BYTES, BESIDE_BYTES + 1]), max_size=8)


@given(sizes=SIZES, synced=st.booleans())
@settings(max_examples=20, deadline=None)
def test_small_and_large_parts_land_in_their_order(
    sizes: list[int], synced: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parts = [bytes([place + 1]) * size for place, size in enumerate(sizes)]
    path = tmp_path_factory.mktemp("landing") / "file"
    assert landed(path, parts, synced=synced) == hashlib.sha256(b"".join(parts)).hexdigest()
    assert path.read_bytes() == b"".join(parts)


def test_what_is_flushed_on_the_way_is_all_there(tmp_path: Path) -> None:
    part = memoryview(bytes(range(256)) * (FLUSH_BYTES // 1024))
    parts = [part] * 9  # twice as much as is flushed at once, and a rest
    digest = landed(tmp_path / "file", parts, synced=True)
    assert digest == hashlib.sha256(b"".join(parts)).hexdigest()
    assert (tmp_path / "file").stat().st_size == 9 * len(part)


def test_an_error_on_the_way_leaves_no_thread_behind(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield bytes(BESIDE_BYTES)
        raise ValueError("the third part is broken")

    before = threading.active_count()
    with pytest.raises(ValueError, match="the third part is broken"):
        landed(tmp_path / "file", parts(), synced=True)
    assert threading.active_count() == before


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with files_of(BESIDE_BYTES), pytest.raises(OSError, match="File too large"):
        landed(tmp_path / "file", [bytes(BESIDE_BYTES)] * 3, synced=False)
