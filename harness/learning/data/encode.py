"""Samples as token ids, and the file format of a shard.

A sample is a row of tokens, or several: a long context is read in windows. A shard is a safetensors file whose tensors
are the fields of :class:`Encoded`; those that are None are not in it. Its bytes depend on its contents alone, so that
equal shards have equal hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Union

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from harness.learning.writing import safetensors_written

Ids = Union[Sequence[int], NDArray[np.int32], NDArray[np.uint8]]

UNLABELLED = -100
"""The label of a token that is not learned."""


@dataclass(frozen=True)
class Encoded:
    """Rows of tokens, one after the other: row i is ``input_ids[offsets[i] : offsets[i + 1]]``.

    ``input_ids`` int32 [tokens], special tokens included, without padding. ``offsets`` int64 [rows + 1]. What is to be
    learned is one of three: ``labels`` int64 [rows], the class of each row; ``tags`` int32 [tokens], the tag of each
    token, UNLABELLED where it has none; ``spans`` int32 [rows, 2], first and last token of the answer, counted within
    the row, both 0 (the first special token) where it is not in this window.

    ``samples`` int64 [rows], ascending: the sample of each row; None: row i is sample i. ``types`` uint8 [tokens]:
    token types, where a second text has its own; None: all zero. ``places`` int32 [tokens, k], kept for scoring alone:
    where a token stands in its sample, -1 where nowhere. Tagged sentences: the word it is the first token of
    [tokens, 1]. Questions: the characters of the context that it covers, begin and end [tokens, 2].
    """

    input_ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int64] | None = None
    tags: NDArray[np.int32] | None = None
    spans: NDArray[np.int32] | None = None
    samples: NDArray[np.int64] | None = None
    types: NDArray[np.uint8] | None = None
    places: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        """Rows."""
        return len(self.offsets) - 1

    @property
    def owners(self) -> NDArray[np.int64]:
        """The sample of each row, [rows]."""
        return np.arange(len(self)) if self.samples is None else self.samples

    def row(self, index: int) -> slice:
        """Where the tokens of a row are."""
        return slice(int(self.offsets[index]), int(self.offsets[index + 1]))

    def pick(self, samples: Sequence[int] | NDArray[np.int64]) -> Encoded:
        """All rows of the given samples, in the given order; without places. Samples are counted anew, from 0."""
        chosen = np.asarray(samples, dtype=np.int64)
        first, end = (np.searchsorted(self.owners, chosen, side=side) for side in ("left", "right"))
        rows = _ranges(first, end)
        tokens = _ranges(self.offsets[rows], self.offsets[rows + 1])
        return Encoded(
            self.input_ids[tokens],
            _offsets(np.diff(self.offsets)[rows]),
            None if self.labels is None else self.labels[rows],
            None if self.tags is None else self.tags[tokens],
            None if self.spans is None else self.spans[rows],
            None if self.samples is None else np.repeat(np.arange(len(chosen)), end - first),
            None if self.types is None else self.types[tokens],
        )


def _ranges(first: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers of each half-open range, one range after the other."""
    sizes = end - first
    starts = np.repeat(first - np.cumsum(sizes) + sizes, sizes)
    numbers: NDArray[np.int64] = starts + np.arange(sizes.sum())
    return numbers


def _offsets(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Where rows of these lengths begin, and the end."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def flat(rows: Iterable[Ids]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Rows of token ids as ``input_ids`` and ``offsets``."""
    arrays = [np.asarray(row, dtype=np.int32) for row in rows]
    joined = np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int32)
    return joined, _offsets([len(array) for array in arrays])


def flat_types(rows: Iterable[Ids]) -> NDArray[np.uint8] | None:
    """Rows of token types as ``types``: None where all are zero."""
    types = flat(rows)[0].astype(np.uint8)
    return types if types.any() else None


def write_shard(encoded: Encoded, path: Path) -> None:
    """Write a shard; under its name it is there whole or not at all."""
    tensors = {field.name: getattr(encoded, field.name) for field in fields(Encoded)}
    with safetensors_written(path) as temporary:
        save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, temporary)


def read_shard(path: Path) -> Encoded:
    """Read a shard that :func:`write_shard` wrote."""
    return Encoded(**load_file(path))
