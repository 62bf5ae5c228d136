"""The chance of one client, drawn as its training alone would draw it."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class Chance(Protocol):
    """The stream that dropout draws from after ``torch.manual_seed``, of one client."""

    def mask(self, like: Tensor, p: float) -> Tensor:
        """What dropout multiplies ``like`` with, of its shape, type and order in memory: 0, or 1 / (1 - p)."""


def chance_of(seed: int, device: torch.device) -> Chance:
    """The chance of a client whose training begins with ``torch.manual_seed(seed)`` on ``device``."""
    return ProcessorChance(seed) if device.type == "cpu" else AcceleratorChance(seed, device)


class ProcessorChance:
    """On a processor dropout is a Bernoulli draw for each value, in the order of memory, and a division."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def mask(self, like: Tensor, p: float) -> Tensor:
        """See :class:`Chance`."""
        return torch.empty_like(like).bernoulli_(1 - p, generator=self._generator).div_(1 - p)


class AcceleratorChance:
    """Elsewhere dropout is a kernel with a stream of its own, which is asked itself, with this client's state.

    It leaves its state with the device's generator: who trains gives that back what it had.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self._generator = torch.get_device_module(device)
        self._device = device
        self._state = torch.Generator(device).manual_seed(seed).get_state()

    def mask(self, like: Tensor, p: float) -> Tensor:
        """See :class:`Chance`."""
        self._generator.set_rng_state(self._state, self._device)
        drawn = functional.dropout(torch.ones_like(like), p, training=True)
        self._state = self._generator.get_rng_state(self._device)
        return drawn
