"""Local training of one method with AdamW, reproducible to the bit from (state, shard, seed)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from harness.errors import TrainerError
from harness.learning.compute import be_deterministic
from harness.learning.data.encode import Encoded
from harness.learning.network import Network
from harness.learning.schedule import lr_factor
from harness.learning.seeding import derived_seed
from harness.learning.shards import collate
from harness.learning.spec import PrepareSpec, Trained
from harness.learning.steps import parts_of, steps_of, weight_of
from harness.learning.tasks.losses import loss_of
from harness.learning.tensors import opened_state, save_state


class TorchTrainer:
    """A :class:`harness.learning.spec.Trainer`. The model stays; each task begins with a loaded state.

    Settings of the whole process are changed (threads, deterministic algorithms): it belongs in a process of its own.
    """

    def __init__(self, spec: PrepareSpec, base: Path, init: Path | None) -> None:
        be_deterministic(spec.threads)
        self._spec = spec
        self._network = Network(base, spec, init)
        self._loss = loss_of(spec.task)
        self._shard: Encoded | None = None

    def load(self, state: Path, shard: Path) -> None:
        """Overwrite all that is trained with ``state`` and read the shard.

        Raises:
            BlobError: a file is not what it should be.
            TrainerError: the state or the shard does not fit the model, or the shard is empty.
        """
        self._shard = None
        with opened_state(state) as tensors:
            self._network.attached.load(tensors)
        self._shard = self._network.read(shard)
        self._network.synchronise()

    def train(self, seed: int, round: int) -> Trained:
        """Some epochs of AdamW without weight decay, with a fresh optimiser; order and dropout come from ``seed``.

        Raises:
            TrainerError: nothing was loaded, or the loss or a trained tensor is not finite.
        """
        if self._shard is None:
            raise TrainerError("a state and a shard are loaded before each training; none is")
        shard, self._shard = self._shard, None
        train, lr = self._spec.train, self._spec.settings.lr
        trainable = list(self._network.attached.trainable.values())
        lr *= lr_factor(train, round, self._spec.rounds)
        optimiser = torch.optim.AdamW(trainable, lr=lr, weight_decay=0.0, fused=True)
        with torch.random.fork_rng(devices=self._network.cuda_devices):
            torch.manual_seed(derived_seed(f"dropout/{seed}"))
            self._network.model.train()
            losses = [self._step(optimiser, shard, rows) for rows in steps_of(shard, train, seed)]
        # Gradients are memory that the next phases do not need.
        optimiser.zero_grad(set_to_none=True)
        loss = float(torch.stack(losses).mean())
        self._check_finite(loss)
        self._network.synchronise()
        samples = len(np.unique(shard.owners))
        return Trained(samples=samples, steps=len(losses), tokens=train.epochs * len(shard.input_ids), loss=loss)

    def save(self, update: Path) -> None:
        """Write the trained tensors."""
        save_state(update, self._network.attached.state())

    def _step(self, optimiser: torch.optim.Optimizer, shard: Encoded, rows: list[int]) -> torch.Tensor:
        """One optimiser step; its loss stays on the device, so that no step waits for the last one."""
        train = self._spec.train
        length = train.max_length if train.padding == "fixed" else None
        weight = weight_of(shard, rows, train)
        losses = []
        optimiser.zero_grad(set_to_none=True)
        for part in parts_of(rows, train):
            batch = collate(shard, part, self._network.pad_id, length)
            loss = self._loss(self._network.outputs(batch), batch) / weight
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        optimiser.step()
        return torch.stack(losses).sum()

    def _check_finite(self, loss: float) -> None:
        trainable = self._network.attached.trainable
        broken = [name for name, tensor in trainable.items() if not bool(torch.isfinite(tensor).all())]
        if broken or not math.isfinite(loss):
            what = f"tensor {broken[0]}" if broken else "the loss"
            lr = self._spec.settings.lr
            raise TrainerError(
                f"training diverged: {what} is not finite at lr {lr:g}; lower methods.{self._spec.method}.lr"
            )
