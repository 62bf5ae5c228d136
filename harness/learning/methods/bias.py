"""FedBF: every bias is trained, those of the layer norms too (BitFit; FeDeRA 5.1)."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.learning.architectures import in_encoder
from harness.learning.spec import PrepareSpec


def insert(model: PreTrainedModel, spec: PrepareSpec) -> dict[str, nn.Parameter]:
    """All biases of the model that the task uses; DeBERTa has some that are called ``q_bias`` and ``v_bias``.

    Raises:
        UsageError: the encoder has none, as ModernBERT.
    """
    biases = {
        name: tensor
        for name, tensor in model.named_parameters()
        if name.endswith((".bias", "_bias")) and tensor.requires_grad
    }
    if not any(in_encoder(model, name) for name in biases):
        raise UsageError(f"fedbf: encoders of type '{model.config.model_type}' have no biases; use another method")
    return biases
