"""One client of those that train together: what it was given, what it does in each step, what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from harness.learning.data.encode import Encoded
from harness.learning.fused.task import LocalTask
from harness.learning.shards import Batch, collate
from harness.learning.spec import Trained
from harness.learning.steps import parts_of, steps_of, weight_of
from harness.profiles import TrainProfile


@dataclass(frozen=True)
class Given:
    """What a client's state makes of a model, before its training.

    ``tensors``: what is the client's own, of full rank, on the model's device. ``shapes``: of those that it trains,
    the part that is its own where its rank is lower. ``control``: SCAFFOLD's corrections by name.
    """

    tensors: Mapping[str, Tensor]
    shapes: Mapping[str, torch.Size]
    control: Mapping[str, Tensor]


@dataclass(eq=False)
class Learner:
    """A client with its rows. ``losses``: one of each step, on the device. ``number`` is its task's."""

    number: int
    task: LocalTask
    given: Given
    shard: Encoded
    train: TrainProfile
    losses: list[Tensor] = field(default_factory=list)
    control: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps = steps_of(self.shard, self.train, self.task.seed)

    @cached_property
    def tokens(self) -> int:
        """Tokens of the rows of all steps, without padding."""
        lengths = np.diff(self.shard.offsets)
        return sum(int(lengths[np.asarray(rows, dtype=np.int64)].sum()) for rows in self.steps)

    def trained(self, loss: float) -> Trained:
        """What it did, with the mean of its losses."""
        samples = len(self.shard) if self.shard.samples is None else len(np.unique(self.shard.samples))
        return Trained(samples=samples, steps=len(self.steps), tokens=self.tokens, loss=loss)

    def parts(self, step: int) -> list[list[int]]:
        """Rows of each part of a step."""
        return parts_of(self.steps[step], self.train)

    def weight(self, step: int) -> float:
        """What the summed losses of a step are divided by."""
        return weight_of(self.shard, self.steps[step], self.train)

    def batch(self, rows: list[int], pad_id: int) -> Batch:
        """These rows, as long as they would be alone."""
        return collate(self.shard, rows, pad_id, self.train.max_length if self.train.padding == "fixed" else None)

    def update(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What it trained, of the ranks that it was given, from ``tensors`` of its own."""
        shapes = self.given.shapes
        return {name: tensors[name][tuple(slice(size) for size in shapes[name])] for name in shapes}
