"""Which rows of a shard make up each optimiser step, and how much each of them weighs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from harness.learning.data.encode import UNLABELLED, Encoded
from harness.learning.seeding import generator
from harness.profiles import TrainProfile

GROUPED_STEPS = 16
"""Rows of like length are sought among the rows of so many steps: in most clients' shards, among all."""


def steps_of(shard: Encoded, train: TrainProfile, seed: int) -> list[list[int]]:
    """Rows of each step. Every epoch has each row once, in an order of its own; its last step may be smaller.

    Of more than ``train.max_steps`` the others are left out. Grouped by length, the same rows fall to the smaller last
    step as without; the others are sorted by length in pieces of some steps, and their steps are shuffled.
    """
    source, size = generator(seed, "order"), train.batch_size
    steps: list[list[int]] = []
    for _ in range(train.epochs):
        order = torch.randperm(len(shard), generator=source).tolist()
        whole = len(order) - len(order) % size
        if train.padding == "grouped":
            grouped = list(_sliced(_by_length(shard, order[:whole], size * GROUPED_STEPS), size))
            steps += [grouped[place] for place in torch.randperm(len(grouped), generator=source).tolist()]
        else:
            steps += _sliced(order[:whole], size)
        steps += [order[whole:]] if order[whole:] else []
    return steps[: train.max_steps]


def parts_of(step: Sequence[int], train: TrainProfile) -> list[list[int]]:
    """A step in parts that fit into memory together with their activations."""
    return list(_sliced(list(step), train.micro_batch_size or len(step)))


def weight_of(shard: Encoded, step: Sequence[int], train: TrainProfile) -> float:
    """What the summed losses of a step's targets are divided by: their number, so that the loss is their mean.

    Tags in steps of like length are divided by what so many rows have in the mean over the shard: otherwise a tag in
    a step of short sentences would weigh more than one in a step of long ones.
    """
    if shard.tags is None:
        return len(step)
    if train.padding == "grouped":
        return max(1.0, len(step) * float((shard.tags != UNLABELLED).sum()) / len(shard))
    return max(1.0, sum(float((shard.tags[shard.row(row)] != UNLABELLED).sum()) for row in step))


def _by_length(shard: Encoded, order: list[int], piece: int) -> list[int]:
    """Each piece of the order sorted by length; equal lengths keep their order."""
    lengths = (shard.offsets[1:] - shard.offsets[:-1]).tolist()
    return [row for rows in _sliced(order, piece) for row in sorted(rows, key=lengths.__getitem__)]


def _sliced(rows: list[int], size: int) -> Iterator[list[int]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
