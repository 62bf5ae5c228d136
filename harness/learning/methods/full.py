"""FedFT: every parameter is trained (FeDeRA 5.1)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.profiles import MethodProfile


def insert(
    model: PreTrainedModel, settings: MethodProfile, init: Mapping[str, Tensor] | None
) -> dict[str, nn.Parameter]:
    """All parameters of the model."""
    return dict(model.named_parameters())
