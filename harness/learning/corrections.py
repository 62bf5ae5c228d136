"""What is added to the gradients of a local training: FedProx's pull, SCAFFOLD's correction."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.learning.forms import CONTROL
from harness.profiles import MethodProfile


class Corrections:
    """Terms of the gradient beside the loss's, of a training that begins with what ``trained`` holds now.

    FedProx adds mu (x - x_0), the gradient of mu/2 ||x - x_0||^2 (arXiv 1812.06127, eq. 2). SCAFFOLD adds c - c_k
    (arXiv 1910.06378, eq. 3), ``control`` by name, zero where it has none: "adapted", since AdamW comes after it.

    SCAFFOLD's new c_k is the mean gradient of the training's steps, before anything is added to it. With the paper's
    SGD that is its option II to the digit, c_k - c + (x_0 - x) / (K lr) (eq. 4). AdamW's steps are as long as the rate
    whatever the gradient, so that the way says nothing of the size that a correction of gradients has to have.
    """

    def __init__(
        self, trained: Mapping[str, nn.Parameter], settings: MethodProfile, control: Mapping[str, Tensor]
    ) -> None:
        self._trained = trained
        self._prox = settings.prox
        self._given = [tensor.detach().clone() for tensor in trained.values()] if self._prox else []
        self._steps = 0
        self._control = (
            [
                control[name].to(tensor.device) if name in control else torch.zeros_like(tensor)
                for name, tensor in trained.items()
            ]
            if settings.scaffold
            else []
        )
        self._gradients = [torch.zeros_like(control) for control in self._control]

    @torch.no_grad()
    def add(self) -> None:
        """Add the terms to the gradients that are there: once in a step."""
        self._steps += 1
        for place, tensor in enumerate(self._trained.values()):
            assert tensor.grad is not None  # a loss was followed back to all that is trained
            if self._control:
                self._gradients[place].add_(tensor.grad)
            if self._prox:
                tensor.grad.add_(tensor - self._given[place], alpha=self._prox)
            if self._control:
                tensor.grad.add_(self._control[place])

    def control(self) -> dict[str, Tensor]:
        """SCAFFOLD's new control variate of the client, by the names of an update; empty without SCAFFOLD."""
        return {
            CONTROL + name: gradient / max(1, self._steps)
            for name, gradient in zip(self._trained, self._gradients, strict=False)
        }


def control_of(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The control variates that a state tells, by the names of what they are for."""
    return {name.removeprefix(CONTROL): state[name] for name in state if name.startswith(CONTROL)}
