"""DeBERTaV3 for several clients: its attention projects relative positions, which all rows of a client share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.learning.fused.crew import Crew


class OwnPositions:
    """Stands for an attention's ``disentangled_attention_bias``: does it client by client.

    The relative positions are dropped out of, and projected, with a client's own chance and factors: once for each.
    """

    def __init__(self, crew: Crew, attention: Any) -> None:
        self._crew = crew
        self._plain = attention.disentangled_attention_bias
        self._heads = attention.num_attention_heads
        self._attention = attention
        self._p = attention.pos_dropout.p
        attention.pos_dropout = nn.Identity()

    def __call__(
        self, query: Tensor, key: Tensor, relative: Tensor | None, embeddings: Tensor, scale_factor: int
    ) -> Tensor:
        """query, key [b heads, tokens, d], embeddings [positions, hidden]; the bias [b heads, tokens, tokens]."""
        biases = []
        for part in self._crew.joint.parts:
            rows = slice(part.start * self._heads, part.stop * self._heads)
            with self._crew.alone(part) as chance:
                drops = self._attention.training and self._p > 0
                given = embeddings * chance.mask(embeddings, self._p) if drops else embeddings
                biases.append(self._plain(query[rows], key[rows], relative, given, scale_factor))
        return torch.cat(biases)


def give_each_its_positions(model: PreTrainedModel, crew: Crew) -> None:
    """Have every attention of a DeBERTaV3 do its positions client by client."""
    for module in model.modules():
        if hasattr(module, "disentangled_attention_bias") and getattr(module, "relative_attention", False):
            module.disentangled_attention_bias = OwnPositions(crew, module)  # type: ignore[assignment]
