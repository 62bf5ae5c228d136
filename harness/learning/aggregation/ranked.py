"""Clients of different ranks: FlexLoRA (arXiv 2402.11505) and HetLoRA (arXiv 2401.06432). Pure.

The rules make factors of the full rank; each client is given the first r_k components of them.
"""

from __future__ import annotations

import numpy as np

from harness.learning.aggregation.fra import reduced
from harness.learning.aggregation.layer import LayerResult, LayerUpdates, Rule
from harness.profiles import MethodProfile


def flexlora_rule(settings: MethodProfile) -> Rule:
    """sum w_k B_k A_k of any ranks r_k, by SVD to the full rank; singular values fall, so a cut keeps the best of it.

    FlexLoRA puts the singular values into B; ``settings.fra.split`` says where they go here.
    """

    def rule(layer: LayerUpdates) -> LayerResult:
        return reduced(layer, settings.fra)

    return rule


def hetlora_rule(settings: MethodProfile) -> Rule:
    """Factors of rank r_k, padded with zeros to the full rank, and their means with weights ||B_k A_k||_F.

    ``layer.norms`` are these norms, over all layers; where all are zero (nothing was learned yet) the samples weigh.
    Clients do not prune their ranks here. A component that no client of the round has stays as it was: as a mean of
    zeros both its factors would be zero, and so their gradients from then on.

    Raises (the rule):
        ValueError: a layer does not tell its norms.
    """
    del settings  # nothing of it is chosen; rules are made alike

    def rule(layer: LayerUpdates) -> LayerResult:
        held = max(b.shape[1] for b in layer.b)
        b, a = layer.b_before.astype(np.float64), layer.a_before.astype(np.float64)
        b[:, :held], a[:held] = 0.0, 0.0
        for weight, b_k, a_k in zip(_shares(layer), layer.b, layer.a, strict=True):
            rank = b_k.shape[1]
            b[:, :rank] += weight * b_k
            a[:rank] += weight * a_k
        return LayerResult(b, a)

    return rule


def _shares(layer: LayerUpdates) -> tuple[float, ...]:
    if len(layer.norms) != len(layer.b):
        raise ValueError(f"{len(layer.norms)} norms for {len(layer.b)} clients; give ||B_k A_k||_F of each client")
    total = sum(layer.norms)
    return tuple(norm / total for norm in layer.norms) if total else layer.weights
