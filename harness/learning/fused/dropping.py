"""Dropout in a model that several clients are trained with: found wherever it is, drawn client by client."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from harness.learning.fused.crew import Crew


class OwnDropout(TorchFunctionMode):
    """While it is on, dropout draws from each client's own chance, within fused attention too."""

    def __init__(self, crew: Crew) -> None:
        super().__init__()
        self._crew = crew

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Collection[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Do ``func``, or what stands for it here."""
        given = kwargs or {}
        if func is functional.dropout:
            return self._dropout(*args, **given)
        if func is functional.scaled_dot_product_attention and given.get("dropout_p"):
            return self._attention(*args, **given)
        return func(*args, **given)

    def _dropout(self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        return self._crew.dropped(x, p) if training else x

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        attn_mask: Tensor | None,
        dropout_p: float,
        scale: float | None,
        is_causal: bool,
    ) -> Tensor:
        """Attention in the steps that torch takes on a processor where there is dropout.

        query, key, value [b, heads, tokens, d]; ``attn_mask`` [b or 1, 1, tokens or 1, tokens], true where a key is
        looked at; encoders are not causal.
        """
        dtype = query.dtype
        root = math.sqrt(1 / math.sqrt(query.shape[-1]) if scale is None else scale)
        with torch.autocast(query.device.type, enabled=False):
            scores = (query.float() * root) @ (key.float() * root).transpose(-2, -1)
            if attn_mask is not None:
                scores = scores.masked_fill(~attn_mask, -math.inf)
            shares = self._crew.dropped(torch.softmax(scores, dim=-1), dropout_p)
            return (shares @ value.float()).to(dtype)
