"""Accuracy and loss of a global state on the test texts."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional

from harness.errors import TrainerError
from harness.learning.classifier import Classifier
from harness.learning.spec import PrepareSpec
from harness.learning.tensors import Shard, check_shard, collate, read_shard, read_state


class Evaluator:
    """Evaluates states of one method; keeps model and texts between calls.

    Raises:
        UsageError: ``base`` is not a usable model folder.
        BlobError: ``test_shard`` or ``init`` is not what it should be.
        TrainerError: the test texts do not fit the model, or there are none.
    """

    def __init__(self, base: Path, spec: PrepareSpec, init: Path | None, test_shard: Path, batch_size: int) -> None:
        self._classifier = Classifier(base, spec, init)
        self._shard = read_shard(test_shard)
        check_shard(self._shard, test_shard, labels=spec.labels, vocabulary=self._classifier.model.config.vocab_size)
        order = _order(self._shard)
        self._batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]

    def evaluate(self, state: Path, progress: Callable[[float], None] | None = None) -> dict[str, float]:
        """``accuracy`` and mean ``loss`` of ``state``; ``progress`` is told the fraction done after each batch.

        Raises:
            BlobError: ``state`` is not safetensors.
            TrainerError: ``state`` is of another method or model, or gives a loss that is not finite.
        """
        self._classifier.attached.load(read_state(state))
        self._classifier.model.train(False)
        correct, loss, done = 0, 0.0, 0
        for batch in self._batches:
            batch_correct, batch_loss = self._score(batch)
            correct, loss, done = correct + batch_correct, loss + batch_loss, done + len(batch)
            if progress is not None:
                progress(done / len(self._shard))
        if not math.isfinite(loss):
            raise TrainerError(f"the loss of {state} on the test texts is not finite; lower the learning rate")
        return {"accuracy": correct / len(self._shard), "loss": loss / len(self._shard)}

    @torch.inference_mode()
    def _score(self, batch: list[int]) -> tuple[int, float]:
        """Correct answers and summed loss of a batch."""
        input_ids, attention_mask, labels = collate(self._shard, batch, self._classifier.pad_id)
        logits = self._classifier.logits(input_ids, attention_mask).cpu()
        loss = functional.cross_entropy(logits.to(torch.float64), labels, reduction="sum")
        return int((logits.argmax(dim=-1) == labels).sum()), float(loss)


def _order(shard: Shard) -> list[int]:
    """Short texts first, so that little is padded; equal lengths by content, so that the file's order has no effect."""
    keys = [(len(text), text.tolist()) for text in map(shard.text, range(len(shard)))]
    return sorted(range(len(shard)), key=keys.__getitem__)
