"""The weighted mean of updates (FedAvg; FeDeRA, eq. 4); free of torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import BlobError, TrainerError
from harness.learning.slices import Array, SlicedState, slices, write_slices

Update = tuple[SlicedState, int]
"""An update that is open, and its samples n_k."""


def weighted_mean(updates: Sequence[tuple[Path, int]], out: Path) -> str:
    """Write sum n_k theta_k / sum n_k over ``updates``, pairs of file and n_k; answers with the SHA-256 of ``out``.

    The files are summed in float64, slice by slice, in the order given: memory holds a few slices however many clients
    there are and however large their states, and equal orders give equal bits. ``out`` is on the disk before it gets
    its name: a run goes on from it.

    Raises:
        BlobError: a file is not safetensors of float32, or its names or shapes are not those of the first.
        TrainerError: an update has a value that is not finite, or no samples.
        OSError: ``out`` could not be written.
    """
    if not updates:
        raise TrainerError("there are no updates to average; a round needs at least one")
    for path, samples in updates:
        if samples < 1:
            raise TrainerError(f"{path} reports {samples} samples; an update needs at least one")
    with ExitStack() as stack:
        files = [(stack.enter_context(SlicedState(path)), samples) for path, samples in updates]
        first, *others = [file for file, _ in files]
        for file in others:
            _compare(first, file)
        return write_slices(out, first.shapes, _mean(files), synced=True)


def _compare(first: SlicedState, other: SlicedState) -> None:
    """See that two updates are of one run.

    Raises:
        BlobError: their names or shapes differ.
    """
    if different := first.shapes.keys() ^ other.shapes.keys():
        name = min(different)
        fault = "lacks" if name in first.shapes else "has the unknown"
        raise BlobError(
            f"{other.path} {fault} tensor {name}, other than {first.path}; updates of one run have the same"
        )
    for name, shape in other.shapes.items():
        if shape != first.shapes[name]:
            shapes = f"{list(shape)} instead of {list(first.shapes[name])}"
            raise BlobError(f"tensor {name} of {other.path} is {shapes}; updates of one run have the same shapes")


def _mean(files: Sequence[Update]) -> Iterator[Array]:
    """The slices of the mean, tensor by tensor in the order of names."""
    shapes, weight = files[0][0].shapes, sum(samples for _, samples in files)
    for name in sorted(shapes):
        for start, stop in slices(shapes[name]):
            total = _weighted(name, files[0], start, stop)
            for update in files[1:]:
                total += _weighted(name, update, start, stop)
            # n_k is applied before the division, so that equal updates give themselves exactly.
            total /= weight
            yield total.astype(np.float32)


def _weighted(name: str, update: Update, start: int, stop: int) -> NDArray[np.float64]:
    """A slice of one update times its samples, in float64."""
    file, samples = update
    values = file.values(name, start, stop)
    if not np.isfinite(values).all():
        raise TrainerError(f"tensor {name} of {file.path} has values that are not finite; lower the learning rate")
    return np.multiply(values, samples, dtype=np.float64)
