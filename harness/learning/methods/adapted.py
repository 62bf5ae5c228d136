"""LoRA in a model, round by round: frozen weights that move, factors that begin anew, a sparse first stage."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.learning.forms import SPARSE, A, B, Form
from harness.learning.methods.frozen import FrozenWeights
from harness.learning.methods.sparse_layer import SparseLinear
from harness.learning.seeding import generator
from harness.learning.spec import PrepareSpec


class Adapted:
    """Layers of a model with LoRA. ``tensors``: the factors, and SLoRA's values, by the names of a state.

    ``layers``: [d, k] of each adapted weight, by name. ``first``: the factors that fresh ones are, where there are
    such; else they are drawn.
    """

    def __init__(
        self,
        spec: PrepareSpec,
        factors: dict[str, nn.Parameter],
        layers: dict[str, tuple[int, int]],
        first: Mapping[str, Tensor],
        frozen: FrozenWeights | None,
        sparse: Mapping[str, SparseLinear],
    ) -> None:
        self.tensors = factors | {name + SPARSE: layer.values for name, layer in sparse.items()}
        self.layers = layers
        self._spec = spec
        self._factors = factors
        self._first = first
        self._frozen = frozen
        self._sparse = sparse

    @torch.no_grad()
    def begin(self, form: Form, round: int, change: Mapping[str, Tensor]) -> None:
        """Make everything but the given tensors what it is in ``round``; ``change`` [d, k] goes by layer."""
        sparse = "sparse" in form.given
        for layer in self._sparse.values():
            layer.on = sparse
        if sparse:
            self._put(dict.fromkeys(self._factors, torch.zeros(())))
        if form.fresh:
            self._renew(round)
        if self._frozen is not None:
            self._frozen.set(change, form.residual_base)

    def _renew(self, round: int) -> None:
        """FLoRA's factors of a round, the same at every client (arXiv 2409.05976): FeDeRA's, or drawn with B zero."""
        source = generator(self._spec.seed, f"flora/{round}")
        self._put(self._first or drawn(self.layers, self._spec.settings.rank, source))

    def _put(self, factors: Mapping[str, Tensor]) -> None:
        for name, factor in self._factors.items():
            factor.copy_(factors[name])


def drawn(layers: Mapping[str, tuple[int, int]], rank: int, source: torch.Generator) -> dict[str, Tensor]:
    """A [rank, k] as PEFT draws it (Kaiming uniform), in the order of names, and B [d, rank] zero, of each layer."""
    factors: dict[str, Tensor] = {}
    for name in sorted(layer + A for layer in layers):
        layer = name.removesuffix(A)
        d, k = layers[layer]
        factors[name] = nn.init.kaiming_uniform_(torch.empty(rank, k), a=math.sqrt(5), generator=source)
        factors[layer + B] = torch.zeros(d, rank)
    return factors
