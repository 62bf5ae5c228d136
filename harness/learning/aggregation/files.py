"""States as numpy arrays, and what a server checks of an update before it uses it. Free of torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import BlobError, TrainerError
from harness.learning.aggregation.layer import Array
from harness.learning.slices import Array as Single
from harness.learning.slices import Shape, SlicedState, slices, write_slices

Tensors = Mapping[str, NDArray[Any]]
OpenUpdate = tuple[SlicedState, int]
"""An update that is open, and its samples n_k."""


def read(path: Path) -> dict[str, Array]:
    """All tensors of a state in float64, by name, sorted.

    Raises:
        BlobError: the file is not safetensors of float32.
    """
    with SlicedState(path) as state:
        return {name: tensor(state, name) for name in sorted(state.shapes)}


def tensor(state: SlicedState, name: str) -> Array:
    """One tensor of an open state, in float64 and its shape.

    Raises:
        BlobError: the file ends within it.
        TrainerError: it has a value that is not finite.
    """
    values = single(state, name)
    see_finite(values, name, state.path)
    return values.astype(np.float64)


def single(state: SlicedState, name: str) -> Single:
    """One tensor of an open state as it stands there, in its shape.

    Raises:
        BlobError: the file ends within it.
    """
    shape = state.shapes[name]
    return state.values(name, 0, math.prod(shape)).reshape(shape)


def write(path: Path, tensors: Tensors, *, synced: bool = False) -> str:
    """Write arrays as a state of float32; answers with the file's SHA-256. It appears when it is complete.

    ``synced``: it stays after a loss of power.

    Raises:
        OSError: it could not be written; nothing appears.
    """
    shapes: dict[str, Shape] = {name: array.shape for name, array in tensors.items()}
    return write_slices(path, shapes, _sliced(tensors), synced=synced)


def _sliced(tensors: Tensors) -> Iterator[Single]:
    for name in sorted(tensors):
        flat = np.ascontiguousarray(tensors[name], dtype=np.float32).reshape(-1)
        for start, stop in slices(flat.shape):
            yield flat[start:stop]


@contextmanager
def opened(updates: Iterable[tuple[Path, int]]) -> Iterator[Sequence[OpenUpdate]]:
    """The files of a round, open; pairs of file and n_k.

    Raises:
        BlobError: a file is not safetensors of float32.
        TrainerError: there are no updates, or one has no samples.
    """
    updates = list(updates)
    if not updates:
        raise TrainerError("there are no updates to average; a round needs at least one")
    for path, samples in updates:
        if samples < 1:
            raise TrainerError(f"{path} reports {samples} samples; an update needs at least one")
    with ExitStack() as stack:
        yield [(stack.enter_context(SlicedState(path)), samples) for path, samples in updates]


def see_layout(update: SlicedState, expected: Mapping[str, Shape], other: str) -> None:
    """See that an update has the tensors that it should have; ``other`` tells what else has them, for a person.

    Raises:
        BlobError: its names or shapes differ.
    """
    if different := expected.keys() ^ update.shapes.keys():
        name = min(different)
        fault = "lacks" if name in expected else "has the unknown"
        raise BlobError(f"{update.path} {fault} tensor {name}, other than {other}; updates of one run have the same")
    for name, shape in update.shapes.items():
        if shape != expected[name]:
            shapes = f"{list(shape)} instead of {list(expected[name])}"
            raise BlobError(f"tensor {name} of {update.path} is {shapes}; updates of one run have the same shapes")


def see_finite(values: NDArray[Any], name: str, path: Path) -> None:
    """See that an update can be averaged.

    Raises:
        TrainerError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise TrainerError(f"tensor {name} of {path} has values that are not finite; lower the learning rate")
