"""FedFT: every parameter that the task uses is trained (FeDeRA 5.1)."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from harness.learning.spec import PrepareSpec


def insert(model: PreTrainedModel, spec: PrepareSpec) -> dict[str, nn.Parameter]:
    """All parameters of the model; a frozen one is one that the task does not use."""
    return {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}
