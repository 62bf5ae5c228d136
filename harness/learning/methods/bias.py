"""FedBF: every bias is trained, those of the layer norms too (BitFit; FeDeRA 5.1)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.profiles import MethodProfile


def insert(
    model: PreTrainedModel, settings: MethodProfile, init: Mapping[str, Tensor] | None
) -> dict[str, nn.Parameter]:
    """All biases of the model."""
    return {name: tensor for name, tensor in model.named_parameters() if name.endswith(".bias")}
