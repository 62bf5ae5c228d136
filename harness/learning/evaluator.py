"""Metrics and loss of a global state on the test samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch

from harness.errors import TrainerError
from harness.learning.data.encode import Encoded
from harness.learning.network import Network
from harness.learning.shards import collate
from harness.learning.spec import PrepareSpec
from harness.learning.steps import weight_of
from harness.learning.tasks.losses import loss_of
from harness.learning.tasks.scoring import Scorer
from harness.learning.tensors import opened_state

MakeScorer = Callable[[Encoded], Scorer]


class Evaluator:
    """Evaluates states of one method; keeps model and samples between calls.

    Raises:
        UsageError: ``base`` is not a usable model folder.
        BlobError: ``test_shard`` or ``init`` is not what it should be.
        TrainerError: the test samples do not fit the model, or there are none.
    """

    def __init__(
        self,
        base: Path,
        spec: PrepareSpec,
        init: Path | None,
        test_shard: Path,
        make_scorer: MakeScorer,
        batch_size: int,
    ) -> None:
        self._network = Network(base, spec, init)
        self._shard = self._network.read(test_shard)
        self._make_scorer = make_scorer
        self._loss = loss_of(spec.task)
        self._weight = weight_of(self._shard, range(len(self._shard)), spec.train)
        order = _order(self._shard)
        self._batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]

    def evaluate(
        self,
        state: Path,
        progress: Callable[[float], None] | None = None,
        *,
        round: int = 0,
        update: Path | None = None,
    ) -> dict[str, float]:
        """The task's metrics and mean ``loss`` of the checkpoint ``state`` after ``round``.

        With ``update``: of a client's own model in ``round``, where ``state`` is the whole one that it was given.
        ``progress`` is told the fraction done after each batch.

        Raises:
            BlobError: a file is not safetensors.
            TrainerError: a file is of another method or model, or gives a loss that is not finite.
        """
        self._load(state, round, update)
        self._network.model.train(False)
        scorer, loss, done = self._make_scorer(self._shard), 0.0, 0
        for rows in self._batches:
            loss, done = loss + self._score(rows, scorer), done + len(rows)
            if progress is not None:
                progress(done / len(self._shard))
        if not math.isfinite(loss):
            raise TrainerError(f"the loss of {state} on the test samples is not finite; lower the learning rate")
        return scorer.metrics() | {"loss": loss / self._weight}

    def _load(self, state: Path, round: int, update: Path | None) -> None:
        """A checkpoint is read as what the next round begins with."""
        attached = self._network.attached
        with opened_state(state) as tensors:
            attached.load(tensors, round + 1 if update is None else round)
        if update is not None:
            with opened_state(update) as own:
                attached.overlay(own)

    @torch.inference_mode()
    def _score(self, rows: list[int], scorer: Scorer) -> float:
        """Give the scorer a batch's outputs; the batch's summed loss."""
        batch = collate(self._shard, rows, self._network.pad_id)
        outputs = self._network.outputs(batch).cpu()
        scorer.add(rows, outputs.numpy())
        return float(self._loss(outputs.to(torch.float64), batch))


def _order(shard: Encoded) -> list[int]:
    """Short rows first, so that little is padded; equal lengths by content, so that the file's order has no effect."""
    rows = [shard.input_ids[shard.row(row)].tolist() for row in range(len(shard))]
    return sorted(range(len(shard)), key=lambda row: (len(rows[row]), rows[row]))
