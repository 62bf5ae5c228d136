"""Methods that lose nothing: what the mean of the factors misses goes into the frozen weights. Pure; numpy.

s sum w_k B_k A_k has the rank of all clients together. FLoRA adds it to W and begins with new factors, FedEx-LoRA keeps
the means as factors and adds the rest. Either way a *stack* travels: factors of what is added, not d x k values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.learning.aggregation.layer import Array, LayerResult, LayerUpdates, Rule
from harness.learning.aggregation.means import mean_of
from harness.profiles import MethodProfile

Single = NDArray[np.float32]


def flora_rule(settings: MethodProfile) -> Rule:
    """B = [s B_k], A = [w_k A_k] are stacked and added to W (FLoRA, arXiv 2409.05976, eq. 3); factors begin anew.

    Where they begin with a product that is not zero (FeDeRA's start), that is taken out of the sum: it is given again.
    """
    del settings  # nothing of it is chosen; rules are made alike

    def rule(layer: LayerUpdates) -> LayerResult:
        left = [layer.scale * b for b in layer.b]
        right = [weight * a for weight, a in zip(layer.weights, layer.a, strict=True)]
        if layer.b_before.any() and layer.a_before.any():
            left.append(layer.scale * layer.b_before)
            right.append(-layer.a_before)
        return LayerResult(None, None, stack=(np.hstack(left), np.vstack(right)))

    return rule


def fedex_rule(settings: MethodProfile) -> Rule:
    """The means as factors, and W += s (sum w_k B_k A_k - mean(B) mean(A)) (FedEx-LoRA, arXiv 2410.09432, eq. 6).

    That residual is s sum w_k (B_k - mean(B)) (A_k - mean(A)): a stack as wide as all clients' ranks together.
    """
    del settings  # nothing of it is chosen; rules are made alike

    def rule(layer: LayerUpdates) -> LayerResult:
        b, a = mean_of(layer.weights, layer.b), mean_of(layer.weights, layer.a)
        left = [layer.scale * (b_k - b) for b_k in layer.b]
        right = [weight * (a_k - a) for weight, a_k in zip(layer.weights, layer.a, strict=True)]
        return LayerResult(b, a, stack=(np.hstack(left), np.vstack(right)))

    return rule


def folded(change: NDArray[Any] | None, stack_b: NDArray[Any], stack_a: NDArray[Any]) -> Single:
    """change [d, k] + stack_b [d, n] stack_a [n, k], in float64 and rounded to float32 once; n may be 0.

    ``change`` None is zero. The server and a trainer that was given the stack alone both take this, on the float32
    values that travel, so that they come to the same bits.
    """
    product: Array = stack_b.astype(np.float64) @ stack_a.astype(np.float64)
    return (product if change is None else change + product).astype(np.float32)
