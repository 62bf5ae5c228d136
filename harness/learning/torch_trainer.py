"""Local training of one method with AdamW, reproducible to the bit from (state, shard, seed, round)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from harness.errors import TrainerError
from harness.learning.compute import be_deterministic
from harness.learning.corrections import control_of
from harness.learning.data.encode import Encoded
from harness.learning.loading import Held, LastState, LatestShards
from harness.learning.local_training import LocalTraining
from harness.learning.network import Network
from harness.learning.schedule import lr_factor
from harness.learning.spec import PrepareSpec, Trained
from harness.learning.tensors import save_state


class TorchTrainer:
    """A :class:`harness.learning.spec.Trainer`. The model stays; each task begins with a loaded state.

    Settings of the whole process are changed (threads, deterministic algorithms): it belongs in a process of its own.
    """

    def __init__(self, spec: PrepareSpec, base: Path, init: Path | None) -> None:
        be_deterministic(spec.threads)
        self._spec = spec
        self._network = Network(base, spec, init)
        self._held = Held(spec)
        self._states = LastState()
        self._shards = LatestShards(self._network.read)
        self._shard: Encoded | None = None
        self._control: dict[str, Tensor] = {}

    def load(self, state: Path, shard: Path, round: int = 1) -> None:
        """Make the model what ``round`` begins with, given ``state``, whole or lean, and read the shard.

        Raises:
            BlobError: a file is not what it should be.
            TrainerError: the state or the shard does not fit the model, the shard is empty, or the state is lean and
                that of the round before is not held.
        """
        self._shard = None
        with self._states.opened(state) as tensors:
            whole = self._held.whole(tensors, round)
            self._network.attached.load(whole, round)
            self._control = control_of(whole) if self._spec.settings.scaffold else {}
        self._shard = self._shards.read(shard)
        self._held.keep(whole, round)
        self._network.synchronise()

    def train(self, seed: int, round: int) -> Trained:
        """Some epochs of AdamW without weight decay, with a fresh optimiser; all chance comes from ``seed``.

        Raises:
            TrainerError: nothing was loaded, or the loss or a trained tensor is not finite.
        """
        if self._shard is None:
            raise TrainerError("a state and a shard are loaded before each training; none is")
        shard, self._shard = self._shard, None
        lr = self._spec.settings.lr * lr_factor(self._spec.train, round, self._spec.rounds)
        done = LocalTraining(self._network, self._spec, shard, lr, seed, self._control).run()
        self._check_finite(done.loss)
        self._control = done.control
        self._network.synchronise()
        return Trained(samples=len(np.unique(shard.owners)), steps=done.steps, tokens=done.tokens, loss=done.loss)

    def save(self, update: Path) -> None:
        """Write the trained tensors, and SCAFFOLD's control variates of the client."""
        save_state(update, self._network.attached.state() | self._control)

    def _check_finite(self, loss: float) -> None:
        trained = self._network.attached.trained
        broken = [name for name, tensor in trained.items() if not bool(torch.isfinite(tensor).all())]
        if broken or not math.isfinite(loss):
            what = f"tensor {broken[0]}" if broken else "the loss"
            lr = self._spec.settings.lr
            raise TrainerError(
                f"training diverged: {what} is not finite at lr {lr:g}; lower methods.{self._spec.method}.lr"
            )
