"""Texts as token ids, and the file format of a shard.

A shard is a safetensors file of three tensors: ``input_ids`` int32 [total tokens], all samples one after the other;
``offsets`` int64 [n + 1], where sample i is ``input_ids[offsets[i] : offsets[i + 1]]``; ``labels`` int64 [n]. Its
bytes depend on its contents alone, so that equal shards have equal hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from harness.learning.writing import safetensors_written


@dataclass(frozen=True)
class Encoded:
    """Token ids of samples: ``input_ids`` int32 [total tokens], ``offsets`` int64 [n + 1], ``labels`` int64 [n]."""

    input_ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def sample(self, index: int) -> NDArray[np.int32]:
        """Token ids of one sample."""
        return self.input_ids[self.offsets[index] : self.offsets[index + 1]]

    def pick(self, samples: Sequence[int] | NDArray[np.int64]) -> Encoded:
        """The given samples, in the given order."""
        return joined((self.sample(index) for index in samples), self.labels[np.asarray(samples, dtype=np.int64)])


def joined(samples: Iterable[Sequence[int] | NDArray[np.int32]], labels: Sequence[int] | NDArray[np.int64]) -> Encoded:
    """Samples and their labels as one flat array with offsets."""
    rows = [np.asarray(sample, dtype=np.int32) for sample in samples]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    flat = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
    return Encoded(flat, offsets, np.asarray(labels, dtype=np.int64))


def write_shard(encoded: Encoded, path: Path) -> None:
    """Write a shard; under its name it is there whole or not at all."""
    with safetensors_written(path) as temporary:
        save_file({"input_ids": encoded.input_ids, "offsets": encoded.offsets, "labels": encoded.labels}, temporary)


def read_shard(path: Path) -> Encoded:
    """Read a shard that :func:`write_shard` wrote."""
    tensors = load_file(path)
    return Encoded(tensors["input_ids"], tensors["offsets"], tensors["labels"])
