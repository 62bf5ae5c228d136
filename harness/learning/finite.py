"""Whether a training led anywhere: one that diverged is told from one that learned."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from harness.errors import TrainerError
from harness.learning.spec import PrepareSpec


def check_finite(spec: PrepareSpec, trained: Mapping[str, Tensor], loss: float) -> None:
    """See that the mean loss and all trained tensors are numbers.

    Raises:
        TrainerError: one is not finite.
    """
    if math.isfinite(loss) and math.isfinite(float(_sum(trained.values()))):
        return
    # A sum is quick, and what is not finite stays so in it; but one of large values may overflow by itself.
    broken = [name for name, tensor in trained.items() if not bool(torch.isfinite(tensor).all())]
    if broken or not math.isfinite(loss):
        what = f"tensor {broken[0]}" if broken else "the loss"
        raise TrainerError(
            f"training diverged: {what} is not finite at lr {spec.settings.lr:g}; lower methods.{spec.method}.lr"
        )


def _sum(tensors: Iterable[Tensor]) -> Tensor:
    """The sum of all values, on their device."""
    return torch.stack([tensor.sum() for tensor in tensors]).sum()
