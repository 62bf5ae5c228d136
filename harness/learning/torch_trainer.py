"""Local training of one method with AdamW, reproducible to the bit from (state, shard, seed)."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch.nn import functional

from harness.errors import TrainerError
from harness.learning.classifier import Classifier
from harness.learning.compute import be_deterministic
from harness.learning.seeding import derived_seed, generator
from harness.learning.spec import PrepareSpec, Trained
from harness.learning.tensors import Shard, check_shard, collate, read_shard, read_state, save_state


class TorchTrainer:
    """A :class:`harness.learning.spec.Trainer`. The model stays; each task begins with a loaded state.

    Settings of the whole process are changed (threads, deterministic algorithms): it belongs in a process of its own.
    """

    def __init__(self, spec: PrepareSpec, base: Path, init: Path | None) -> None:
        be_deterministic(spec.threads)
        self._spec = spec
        self._classifier = Classifier(base, spec, init)
        self._shard: Shard | None = None

    def load(self, state: Path, shard: Path) -> None:
        """Overwrite all that is trained with ``state`` and read the shard.

        Raises:
            BlobError: a file is not what it should be.
            TrainerError: the state or the shard does not fit the model, or the shard is empty.
        """
        self._shard = None
        self._classifier.attached.load(read_state(state))
        self._shard = read_shard(shard)
        check_shard(self._shard, shard, labels=self._spec.labels, vocabulary=self._classifier.model.config.vocab_size)
        self._classifier.synchronise()

    def train(self, seed: int) -> Trained:
        """Some epochs of AdamW without weight decay, with a fresh optimiser; order and dropout come from ``seed``.

        Raises:
            TrainerError: nothing was loaded, or the loss or a trained tensor is not finite.
        """
        if self._shard is None:
            raise TrainerError("a state and a shard are loaded before each training; none is")
        shard, self._shard = self._shard, None
        trainable = list(self._classifier.attached.trainable.values())
        optimiser = torch.optim.AdamW(trainable, lr=self._spec.settings.lr, weight_decay=0.0, fused=True)
        with torch.random.fork_rng(devices=self._classifier.cuda_devices):
            torch.manual_seed(derived_seed(f"dropout/{seed}"))
            self._classifier.model.train()
            losses = [self._step(optimiser, shard, batch) for batch in self._batches(len(shard), seed)]
        # Gradients are memory that the next phases do not need.
        optimiser.zero_grad(set_to_none=True)
        loss = float(torch.stack(losses).mean())
        self._check_finite(loss)
        self._classifier.synchronise()
        epochs = self._spec.train.epochs
        return Trained(samples=len(shard), steps=len(losses), tokens=epochs * len(shard.input_ids), loss=loss)

    def save(self, update: Path) -> None:
        """Write the trained tensors."""
        save_state(update, self._classifier.attached.state())

    def _batches(self, samples: int, seed: int) -> list[list[int]]:
        """Indices of each step: every epoch is a permutation of its own, its last batch may be smaller."""
        source, size = generator(seed, "order"), self._spec.train.batch_size
        orders = [torch.randperm(samples, generator=source).tolist() for _ in range(self._spec.train.epochs)]
        return [order[start : start + size] for order in orders for start in range(0, samples, size)]

    def _step(self, optimiser: torch.optim.Optimizer, shard: Shard, batch: list[int]) -> torch.Tensor:
        """One optimiser step; its loss stays on the device, so that no step waits for the last one."""
        input_ids, attention_mask, labels = collate(shard, batch, self._classifier.pad_id)
        logits = self._classifier.logits(input_ids, attention_mask)
        loss = functional.cross_entropy(logits, labels.to(logits.device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return loss.detach()

    def _check_finite(self, loss: float) -> None:
        trainable = self._classifier.attached.trainable
        broken = [name for name, tensor in trainable.items() if not bool(torch.isfinite(tensor).all())]
        if broken or not math.isfinite(loss):
            what = f"tensor {broken[0]}" if broken else "the loss"
            lr = self._spec.settings.lr
            raise TrainerError(
                f"training diverged: {what} is not finite at lr {lr:g}; lower methods.{self._spec.method}.lr"
            )
