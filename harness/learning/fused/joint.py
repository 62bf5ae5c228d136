"""A batch of the rows of several clients: whose they are, and how long each client's would be alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from harness.learning.shards import Batch


@dataclass(frozen=True)
class Part:
    """One client's part: its ``place`` among those that train, its rows ``start`` to ``stop``, their ``length``."""

    place: int
    start: int
    stop: int
    length: int

    def of(self, x: Tensor, tokens: Sequence[int] = ()) -> Tensor:
        """A client's part of ``x``, whose dimensions ``tokens`` count tokens."""
        part = x[self.start : self.stop]
        for dimension in tokens:
            part = part.narrow(dimension, 0, self.length)
        return part


@dataclass(frozen=True)
class Joint:
    """The parts of a batch, in the order of their rows; rows are padded to ``length`` tokens."""

    parts: tuple[Part, ...]
    length: int

    @cached_property
    def sizes(self) -> list[int]:
        """Rows of each part."""
        return [part.stop - part.start for part in self.parts]

    @cached_property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(self.sizes)

    @cached_property
    def places(self) -> list[int]:
        """Who has a part."""
        return [part.place for part in self.parts]

    @cached_property
    def even(self) -> bool:
        """Whether all parts have as many rows."""
        return len(set(self.sizes)) == 1

    @cached_property
    def level(self) -> bool:
        """Whether all parts would be as long alone."""
        return all(part.length == self.length for part in self.parts)


def joined(batches: Sequence[Batch], places: Sequence[int], pad_id: int) -> tuple[Joint, Batch]:
    """Batches of several clients as one, padded to the longest: ``input_ids``, ``attention_mask``, ``token_types``.

    The targets are left to the batches themselves, which each loss is taken of; there are none in the joint batch.
    """
    lengths = [batch.input_ids.shape[1] for batch in batches]
    joint = Joint(tuple(_parts(batches, places, lengths)), max(lengths))
    typed = any(batch.token_types is not None for batch in batches)
    return joint, Batch(
        _together([batch.input_ids for batch in batches], joint, pad_id),
        _together([batch.attention_mask for batch in batches], joint, 0),
        _together([_types(batch) for batch in batches], joint, 0) if typed else None,
        torch.empty(0),
    )


def _parts(batches: Sequence[Batch], places: Sequence[int], lengths: Sequence[int]) -> Iterator[Part]:
    start = 0
    for batch, place, length in zip(batches, places, lengths, strict=True):
        rows = len(batch.input_ids)
        yield Part(place, start, start + rows, length)
        start += rows


def _together(tensors: Sequence[Tensor], joint: Joint, fill: int) -> Tensor:
    """[b_k, longest_k] of each client as one [b, longest]."""
    whole = torch.full((joint.rows, joint.length), fill, dtype=torch.int64)
    for part, tensor in zip(joint.parts, tensors, strict=True):
        part.of(whole, (1,)).copy_(tensor)
    return whole


def _types(batch: Batch) -> Tensor:
    return torch.zeros_like(batch.input_ids) if batch.token_types is None else batch.token_types
