"""States read and written slice by slice: the bytes are the library's, and memory holds a slice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from small_files import files_of

from harness.errors import BlobError
from harness.learning.slices import SLICE_VALUES, Array, SlicedState, slices, write_slices

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda name: name != "__metadata__")
SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)


def sliced(tensors: dict[str, Array]) -> Iterator[Array]:
    for name in sorted(tensors):
        for start, stop in slices(tensors[name].shape):
            yield tensors[name].reshape(-1)[start:stop]


@given(st.dictionaries(NAMES, SHAPES, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_the_bytes_are_those_of_the_library(shapes: dict[str, tuple[int, ...]]) -> None:
    chance = np.random.default_rng(0)
    tensors = {name: chance.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}
    tensors = {name: np.asarray(tensor) for name, tensor in tensors.items()}
    with TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours"), Path(folder, "theirs")
        save_file(tensors, theirs)
        digest = write_slices(ours, shapes, sliced(tensors))
        assert ours.read_bytes() == theirs.read_bytes()
        assert digest == hashlib.sha256(ours.read_bytes()).hexdigest()
        state = SlicedState(theirs)
        for name, tensor in tensors.items():
            read = [state.values(name, start, stop) for start, stop in slices(state.shapes[name])]
            assert state.shapes[name] == tensor.shape
            assert np.concatenate([np.empty(0, np.float32), *read]).tobytes() == tensor.tobytes()
        state.close()


def test_a_large_tensor_goes_by_slices(tmp_path: Path) -> None:
    assert list(slices((3, SLICE_VALUES // 2))) == [(0, SLICE_VALUES), (SLICE_VALUES, 3 * SLICE_VALUES // 2)]
    large = np.arange(SLICE_VALUES + 5, dtype=np.float32)
    write_slices(tmp_path / "state", {"w": large.shape}, sliced({"w": large}))
    assert np.array_equal(load_file(tmp_path / "state")["w"], large)


def test_other_types_of_numbers_are_refused(tmp_path: Path) -> None:
    save_file({"w": np.zeros(3, dtype=np.float16)}, tmp_path / "state")
    with pytest.raises(BlobError, match=r"tensor w of .*state is of F16; states are of F32"):
        SlicedState(tmp_path / "state")


def test_a_file_that_shrinks_while_it_is_read_is_told(tmp_path: Path) -> None:
    save_file({"w": np.zeros(3, dtype=np.float32)}, tmp_path / "state")
    state = SlicedState(tmp_path / "state")
    (tmp_path / "state").write_bytes(b"short")
    with pytest.raises(BlobError, match="ends within tensor w"):
        state.values("w", 0, 3)
    state.close()


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    zeros = np.zeros(50_000, dtype=np.float32)
    with files_of(10_000), pytest.raises(OSError, match="state"):
        write_slices(tmp_path / "state", {"w": zeros.shape}, [zeros])
    assert list(tmp_path.iterdir()) == []
