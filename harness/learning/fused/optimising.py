"""AdamW for several clients at once: what each of them does for itself is the same for every value."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim.adamw import adamw

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8
"""As :class:`torch.optim.AdamW` has them by default."""


class OwnAdamW:
    """AdamW without weight decay on ``tensors`` [clients, ...]; all clients begin together, and some leave early."""

    def __init__(self, tensors: Mapping[str, Tensor], lr: float) -> None:
        self._tensors = list(tensors.values())
        self._lr = lr
        self._first = [torch.zeros_like(tensor) for tensor in self._tensors]
        self._second = [torch.zeros_like(tensor) for tensor in self._tensors]
        self._steps = [torch.zeros((), device=tensor.device) for tensor in self._tensors]

    @torch.no_grad()
    def step(self, gradients: list[Tensor], clients: int) -> None:
        """One step of the first ``clients``, by their ``gradients`` [clients, ...], in the order of the tensors."""
        adamw(
            [tensor[:clients] for tensor in self._tensors],
            gradients,
            [moment[:clients] for moment in self._first],
            [moment[:clients] for moment in self._second],
            [],
            self._steps,
            fused=True,
            amsgrad=False,
            beta1=BETA1,
            beta2=BETA2,
            lr=self._lr,
            weight_decay=0.0,
            eps=EPS,
            maximize=False,
        )
