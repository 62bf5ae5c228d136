"""One local training: which rows make its steps, where their gradients come from, and what the optimiser does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harness.learning.accounting import rate_of
from harness.learning.corrections import Corrections
from harness.learning.data.encode import Encoded
from harness.learning.network import Network
from harness.learning.private import PrivateStep, poisson_rows
from harness.learning.seeding import derived_seed, generator
from harness.learning.shards import collate
from harness.learning.spec import PrepareSpec
from harness.learning.steps import parts_of, steps_of, weight_of
from harness.learning.tasks.losses import loss_of


@dataclass(frozen=True)
class Done:
    """What a training did: mean loss of its steps, optimiser steps, tokens without padding, SCAFFOLD's new c_k."""

    loss: float
    steps: int
    tokens: int
    control: dict[str, Tensor]


class LocalTraining:
    """AdamW without weight decay at ``lr`` on all that the loaded round trains; the optimiser begins afresh.

    Order, dropout and noise come from ``seed``. ``control``: SCAFFOLD's corrections by name.
    """

    def __init__(
        self, network: Network, spec: PrepareSpec, shard: Encoded, lr: float, seed: int, control: Mapping[str, Tensor]
    ) -> None:
        self._network, self._shard, self._seed = network, shard, seed
        self._train, settings = spec.train, spec.settings
        self._loss = loss_of(spec.task)
        trained = network.attached.trained
        self._optimiser = torch.optim.AdamW(list(trained.values()), lr=lr, weight_decay=0.0, fused=True)
        corrected = settings.prox > 0 or settings.scaffold
        self._corrections = Corrections(trained, settings, control) if corrected else None
        self._rate = rate_of(len(shard), self._train.batch_size)
        self._private = None
        if settings.privacy.kind == "dp-sgd":
            expected = self._rate * len(shard)
            self._private = PrivateStep(network.model, trained, settings.privacy, expected, seed)

    def run(self) -> Done:
        """Train."""
        steps = self._steps()
        with torch.random.fork_rng(devices=self._network.cuda_devices):
            self._network.seed(derived_seed(f"dropout/{self._seed}"))
            if not self._network.model.training:  # it stays so from one training to the next
                self._network.model.train()
            with self._private.wrap() if self._private else nullcontext():
                losses = [self._step(rows) for rows in steps]
        # Gradients are memory that the next phases do not need.
        self._optimiser.zero_grad(set_to_none=True)
        return Done(
            loss=float(torch.stack(losses).mean()),
            steps=len(steps),
            tokens=_tokens(self._shard, steps),
            control=self._corrections.control() if self._corrections else {},
        )

    def _steps(self) -> list[list[int]]:
        """Rows of each step. What protects single samples draws as many steps as there would be, each by chance."""
        steps = steps_of(self._shard, self._train, self._seed)
        if self._private is None:
            return steps
        return poisson_rows(len(self._shard), self._rate, len(steps), generator(self._seed, "poisson"))

    def _step(self, rows: list[int]) -> Tensor:
        """One optimiser step; its loss stays on the device, so that no step waits for the last one."""
        parts = parts_of(rows, self._train) if rows else []
        loss = self._private.step(parts, self._summed) if self._private else self._fill(rows, parts)
        if self._corrections is not None:
            self._corrections.add()
        self._optimiser.step()
        return loss

    def _fill(self, rows: list[int], parts: Sequence[list[int]]) -> Tensor:
        """The gradients of the mean loss of a step, and that loss."""
        weight = weight_of(self._shard, rows, self._train)
        losses = []
        self._optimiser.zero_grad(set_to_none=True)
        for part in parts:
            loss = self._summed(part) / weight
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        return torch.stack(losses).sum()

    def _summed(self, rows: list[int]) -> Tensor:
        """The summed loss of what is to be learned of some rows."""
        length = self._train.max_length if self._train.padding == "fixed" else None
        batch = collate(self._shard, rows, self._network.pad_id, length)
        return self._loss(self._network.outputs(batch), batch)


def _tokens(shard: Encoded, steps: Sequence[Sequence[int]]) -> int:
    """Tokens of the rows of all steps, without padding."""
    lengths = np.diff(shard.offsets)
    return sum(int(lengths[np.asarray(rows, dtype=np.int64)].sum()) for rows in steps)
