"""The loss of each task, summed over what is to be learned."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from harness.learning.data.encode import UNLABELLED
from harness.learning.shards import Batch
from harness.profiles import TaskName

Loss = Callable[[Tensor, Batch], Tensor]


def loss_of(task: TaskName) -> Loss:
    """The summed loss of a batch from the model's outputs (see :class:`harness.learning.tasks.scoring.Scorer`)."""
    return _LOSSES[task]


def _classes(outputs: Tensor, batch: Batch) -> Tensor:
    """Cross entropy of classes: outputs [b, labels]."""
    return functional.cross_entropy(outputs, batch.targets.to(outputs.device), reduction="sum")


def _tags(outputs: Tensor, batch: Batch) -> Tensor:
    """Cross entropy of tags: outputs [b, longest, labels]; tokens without a tag do not count."""
    targets = batch.targets.to(outputs.device).flatten()
    return functional.cross_entropy(outputs.flatten(0, 1), targets, ignore_index=UNLABELLED, reduction="sum")


def _spans(outputs: Tensor, batch: Batch) -> Tensor:
    """Mean of the cross entropies of first and last token: outputs [b, longest, 2]. Padding can be neither."""
    padding = batch.attention_mask.to(outputs.device) == 0
    scores = outputs.masked_fill(padding[:, :, None], torch.finfo(outputs.dtype).min)
    targets = batch.targets.to(outputs.device)
    losses = [functional.cross_entropy(scores[:, :, end], targets[:, end], reduction="sum") for end in (0, 1)]
    return (losses[0] + losses[1]) / 2


_LOSSES: dict[TaskName, Loss] = {
    "text-classification": _classes,
    "token-classification": _tags,
    "question-answering": _spans,
}
