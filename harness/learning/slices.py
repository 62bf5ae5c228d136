"""Safetensors files of float32 tensors, read and written slice by slice: memory holds a few, however large a state.

The form (https://github.com/huggingface/safetensors): eight bytes with the header's length, the header as JSON, filled
up with spaces to a multiple of eight, then the tensors one after another.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import spare
from harness.durable import written_whole
from harness.errors import BlobError
from harness.learning.landing import landed
from harness.tensorfile import LENGTH_BYTES, Layout, contents

Array = NDArray[np.float32]
Shape = tuple[int, ...]

SLICE_VALUES = 1024 * 1024
"""Values in a slice: 4 MiB of a file, twice that in float64."""
FLOAT32 = np.dtype("<f4")
ALIGNMENT_BYTES = 8


class SlicedState:
    """A state file that is open for reading; ``shapes`` go by name. Reading leaves nothing of it in this process.

    Several threads may read at once.

    Raises:
        BlobError: it is not safetensors, or a tensor is not of float32.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise BlobError(f"{path} cannot be read ({error.strerror}); fetch or write it again") from None
        try:
            found = contents(self._file, path)
            self.shapes, self._offsets = _float32(found.layout, path), found.starts
        except BlobError:
            self._file.close()
            raise

    def values(self, name: str, start: int, stop: int) -> Array:
        """The values of a tensor from ``start`` to ``stop``, counted through all its dimensions.

        Raises:
            BlobError: the file ends before them.
        """
        values = np.empty(stop - start, FLOAT32)
        self.fill(values, name, start)
        return values

    def fill(self, values: Array, name: str, start: int) -> None:
        """Read as many values as ``values`` [n] has room for, from ``start`` of a tensor on.

        They may go on into the tensors that lie behind it in the file (see :attr:`in_order`).

        Raises:
            BlobError: the file ends before them.
        """
        rest, place = values.data.cast("B"), self._offsets[name] + start * FLOAT32.itemsize
        while rest:
            read_bytes = os.preadv(self._file.fileno(), [rest], place)
            if read_bytes == 0:
                raise BlobError(f"{self.path} ends within tensor {name}; fetch or write it again")
            rest, place = rest[read_bytes:], place + read_bytes

    @property
    def in_order(self) -> bool:
        """Whether the tensors lie in the file in the order of their names, with nothing between them."""
        names = sorted(self.shapes)
        ends = [self._offsets[name] + math.prod(self.shapes[name]) * FLOAT32.itemsize for name in names]
        return [self._offsets[name] for name in names[1:]] == ends[:-1]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> SlicedState:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def slices(shape: Shape) -> Iterator[tuple[int, int]]:
    """Start and stop of the slices of a tensor; none of one without values."""
    count = math.prod(shape)
    for start in range(0, count, SLICE_VALUES):
        yield start, min(start + SLICE_VALUES, count)


def write_slices(path: Path, shapes: Mapping[str, Shape], values: Iterable[Array], *, synced: bool = False) -> str:
    """Write a state whose ``values`` come in slices, tensor by tensor in the order of names; the file's SHA-256.

    The bytes are those of ``safetensors.numpy.save_file``; the file appears when it is complete, and with ``synced``
    stays after a loss of power. It is written over the folder's spare file, if there is one. A slice is hashed and
    written while ``values`` makes the next one, so that it must not change what it gave.

    Raises:
        OSError: it could not be written; nothing appears.
    """
    try:
        with written_whole(path, synced=synced) as partial:
            spare.taken(partial)
            return landed(partial, _data(shapes, values), synced=synced)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error  # of a write the system says no name


def _data(shapes: Mapping[str, Shape], values: Iterable[Array]) -> Iterator[bytes | memoryview]:
    yield header_of(shapes)
    for array in values:
        yield array.astype(FLOAT32, copy=False).data.cast("B")


def header_of(shapes: Mapping[str, Shape]) -> bytes:
    """How a safetensors file of such float32 tensors begins; the values follow, in the order of their names."""
    told, end = {}, 0
    for name in sorted(shapes):
        start, end = end, end + math.prod(shapes[name]) * FLOAT32.itemsize
        told[name] = {"dtype": "F32", "shape": list(shapes[name]), "data_offsets": [start, end]}
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT_BYTES)
    return len(text).to_bytes(LENGTH_BYTES, "little") + text


def _float32(found: Layout, path: Path) -> dict[str, Shape]:
    """The shapes by name, of a state."""
    for tensor in found.tensors:
        if tensor.dtype != "F32":
            raise BlobError(f"tensor {tensor.name} of {path} is of {tensor.dtype}; states are of F32")
    return {tensor.name: tensor.shape for tensor in found.tensors}
