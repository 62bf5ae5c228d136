"""FedSVD: A is frozen within a round and turned between rounds (arXiv 2505.12805). Pure; numpy in float64."""

from __future__ import annotations

from harness.learning.aggregation.layer import LayerResult, LayerUpdates, Rule
from harness.learning.aggregation.lowrank import best_factors, decomposed
from harness.learning.aggregation.means import mean_of
from harness.profiles import MethodProfile


def fedsvd_rule(settings: MethodProfile) -> Rule:
    """mean(B) A = U S V^T with the common A, exact; then B = U S and A = V^T, whose rows are orthonormal.

    Where a singular value is zero the row of A stays as it was, for its column of B to be learned.
    """
    del settings  # nothing of it is chosen; rules are made alike

    def rule(layer: LayerUpdates) -> LayerResult:
        parts = decomposed([(1.0, mean_of(layer.weights, layer.b), layer.a_before)])
        return LayerResult(*best_factors(parts, layer.b_before.shape[1], "into-b", layer.a_before))

    return rule
