"""The weighted mean of updates (FedAvg; FeDeRA, eq. 4); free of torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from harness.errors import TrainerError
from harness.learning.aggregation.ahead import made_ahead
from harness.learning.aggregation.files import OpenUpdate, opened, see_finite, see_layout
from harness.learning.slices import FLOAT32, Array, slices, write_slices

BLOCK_VALUES = 128 * 1024
"""Values that are summed at a time. With their sum in float64 (2.5 MiB) they stay in a processor's last cache; of fewer
each step is so short that threads wait for the interpreter more than the smaller memory gains (a third at 32 Ki)."""


def weighted_mean(updates: Sequence[tuple[Path, int]], out: Path, *, synced: bool = True) -> str:
    """Write sum n_k theta_k / sum n_k over ``updates``, pairs of file and n_k; answers with the SHA-256 of ``out``.

    The files are summed in float64, slice by slice, in the order given: memory holds a few slices however many clients
    there are and however large their states, and equal orders give equal bits. ``synced``: ``out`` is on the disk
    before it gets its name.

    Raises:
        BlobError: a file is not safetensors of float32, or its names or shapes are not those of the first.
        TrainerError: an update has a value that is not finite, or no samples.
        OSError: ``out`` could not be written.
    """
    with opened(updates) as files:
        first, *others = [file for file, _ in files]
        for file in others:
            see_layout(file, first.shapes, str(first.path))
        # A file is closed only when nobody reads it any more.
        with closing(_means(files)) as values:
            return write_slices(out, first.shapes, values, synced=synced)


def mean_tensor(files: Sequence[OpenUpdate], name: str) -> Array:
    """The mean of one tensor, whole and in its shape."""
    shape = files[0][0].shapes[name]
    return np.concatenate([np.zeros(0, np.float32), *mean_slices(files, name)]).reshape(shape)


def mean_slices(files: Sequence[OpenUpdate], name: str) -> Iterator[Array]:
    """The slices of one tensor's mean, rounded to float32 once.

    Raises:
        TrainerError: an update has a value that is not finite.
    """
    return _stretch(files, name, math.prod(files[0][0].shapes[name]))


def _means(files: Sequence[OpenUpdate]) -> Generator[Array, None, None]:
    """The slices of all tensors' means, in the order of names; of many small tensors a slice has several."""
    shapes = files[0][0].shapes
    if shapes and all(file.in_order for file, _ in files):
        yield from _stretch(files, min(shapes), sum(map(math.prod, shapes.values())))
    else:
        for name in sorted(shapes):
            yield from mean_slices(files, name)


def _stretch(files: Sequence[OpenUpdate], name: str, count: int) -> Generator[Array, None, None]:
    """The mean of ``count`` values from the beginning of a tensor on, in slices: threads are ahead with them."""
    return made_ahead([_mean_of(files, name, start, stop) for start, stop in slices((count,))])


def _mean_of(files: Sequence[OpenUpdate], name: str, start: int, stop: int) -> Callable[[], Array]:
    def made() -> Array:
        mean, block = np.empty(stop - start, FLOAT32), _Block(min(BLOCK_VALUES, stop - start))
        with np.errstate(all="ignore"):
            for begin in range(0, len(mean), BLOCK_VALUES):
                block.fill(mean[begin : begin + BLOCK_VALUES], files, name, start + begin)
        # A value that is not finite makes its sum such a one, and finite float32 never do: their float64 has room.
        if not np.isfinite(mean).all():
            _blame(files)
        return mean

    return made


class _Block:
    """Memory for some values and their sum, used again and again: new memory costs the system as much as the sum."""

    def __init__(self, count: int) -> None:
        self._read = np.empty(count, FLOAT32)
        self._total, self._weighted = np.empty((2, count), np.float64)

    def fill(self, mean: Array, files: Sequence[OpenUpdate], name: str, start: int) -> None:
        """The mean of a blockful of values, from ``start`` of a tensor on.

        Steps are taken one by one: a cast within a product goes through numpy's buffer, which takes longer. n_k is
        applied before the division, so that equal updates give themselves exactly.
        """
        read, total, weighted = self._read[: len(mean)], self._total[: len(mean)], self._weighted[: len(mean)]
        for place, (file, samples) in enumerate(files):
            file.fill(read, name, start)
            into = weighted if place else total
            np.copyto(into, read)
            np.multiply(into, samples, out=into)
            if place:
                np.add(total, weighted, out=total)
        np.divide(total, sum(samples for _, samples in files), out=total)
        np.copyto(mean, total, casting="same_kind")


def _blame(files: Sequence[OpenUpdate]) -> None:
    """Say which update cannot be averaged.

    Raises:
        TrainerError: always.
    """
    for name, shape in sorted(files[0][0].shapes.items()):
        for start, stop in slices(shape):
            for file, _ in files:
                see_finite(file.values(name, start, stop), name, file.path)
    raise TrainerError("the mean of the updates has values that are not finite; lower the learning rate")
