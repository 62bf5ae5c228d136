"""Frozen weights that are not the same in every round: W0 + change - s B0 A0."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.learning.forms import A, B


class FrozenWeights:
    """The frozen weights of adapted layers, of a method whose rounds change them.

    ``weights``: the model's own, [d, k] by layer, on the processor still; their pretrained values W0 are kept there.
    ``factors`` holds A0 and B0 under the names of a state, for rounds whose frozen weights are residuals; ``scale`` is
    s.
    """

    def __init__(self, weights: dict[str, nn.Parameter], factors: Mapping[str, Tensor] | None, scale: float) -> None:
        self._weights = weights
        self._pretrained = {layer: weight.detach().clone() for layer, weight in weights.items()}
        self._factors = factors or {}
        self._scale = scale
        self._residual = False
        self._changed = False

    @torch.no_grad()
    def set(self, change: Mapping[str, Tensor], residual: bool) -> None:
        """Make each weight W0 + its ``change`` [d, k], minus s B0 A0 where ``residual``.

        On the processor and in float64, so that a weight is the same to half a unit in the last place on any machine.
        """
        if not change and residual == self._residual and not self._changed:
            return
        for layer, weight in self._weights.items():
            wanted = self._pretrained[layer].to(torch.float64)
            if layer in change:
                wanted += change[layer].to("cpu", torch.float64)
            if residual:
                wanted -= self._scale * _product(self._factors[layer + B], self._factors[layer + A])
            weight.copy_(wanted)
        self._residual, self._changed = residual, bool(change)


@torch.no_grad()
def subtract(weight: Tensor, b0: Tensor, a0: Tensor, scale: float) -> None:
    """weight -= scale * b0 @ a0, in float64: W_res is then W to half a unit in the last place, on any machine."""
    weight.copy_(weight.to(torch.float64) - scale * _product(b0, a0))


def _product(b: Tensor, a: Tensor) -> Tensor:
    """b [d, r] times a [r, k], float64."""
    return b.to(torch.float64) @ a.to(torch.float64)
