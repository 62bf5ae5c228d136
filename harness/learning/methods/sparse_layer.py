"""SLoRA's first stage: a linear layer of which some weights are trained (arXiv 2308.06522, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class SparseLinear(nn.Module):
    """y = (W + D) x + bias; D [d, k] is ``values`` [m] at ``places`` [m] of W, and zero elsewhere.

    ``places`` are counted through the rows of W, each there once. Without ``on`` D is left out: W itself never moves.
    """

    def __init__(self, base: nn.Linear, places: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = base.weight, base.bias
        self.values = nn.Parameter(torch.zeros(places.shape, device=base.weight.device))
        self.register_buffer("places", places.to(base.weight.device), persistent=False)
        self.on = False

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output: x [..., k], result [..., d]."""
        return functional.linear(x, self.weight + self._change() if self.on else self.weight, self.bias)

    def _change(self) -> Tensor:
        places = self.get_buffer("places")
        flat = torch.zeros(self.weight.numel(), device=self.weight.device).scatter(0, places, self.values)
        return flat.view_as(self.weight)
