"""Means of the clients' factors: what FedIT's averaging makes of a layer. Pure; numpy in float64."""

from __future__ import annotations

from collections.abc import Sequence

from harness.learning.aggregation.layer import Array, LayerResult, LayerUpdates, Rule
from harness.profiles import MethodProfile


def mean_rule(settings: MethodProfile) -> Rule:
    """mean(B) and mean(A), each on its own (FedIT, arXiv 2305.05644); exact where one of both is common.

    FFA-LoRA (2403.12313) and RoLoRA (2409.02346) are this rule over rounds that train one factor alone.
    """
    del settings  # nothing of it is chosen; rules are made alike

    def rule(layer: LayerUpdates) -> LayerResult:
        return LayerResult(mean_of(layer.weights, layer.b), mean_of(layer.weights, layer.a))

    return rule


def mean_of(weights: Sequence[float], factors: Sequence[Array]) -> Array:
    """sum w_k X_k, in client order; of a factor that is common to all, that factor to the bit."""
    first = factors[0]
    if all(factor is first for factor in factors):
        return first
    total = weights[0] * first
    for weight, factor in zip(weights[1:], factors[1:], strict=True):
        total += weight * factor
    return total
