"""LoRA-FAIR: the mean of B is corrected towards the exact aggregate (arXiv 2411.14961). Pure; numpy in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.learning.aggregation.layer import Array, LayerResult, LayerUpdates, Rule
from harness.learning.aggregation.lowrank import product_norm, stacked
from harness.learning.aggregation.means import mean_of
from harness.profiles import MethodProfile

STEPS = 500
TOLERANCE = 1e-9
"""A step that moves D by less than this share of ||B|| is the last one."""


@dataclass(frozen=True)
class Aim:
    """M as X A is compared with it: P = M A^T [d, r], G = A A^T [r, r] and ||M||_F are all that it takes.

    <M, X A> = <P, X> and ||X A||^2 = <X G, X>, so that nothing of d x k is built.
    """

    p: Array
    g: Array
    norm: float

    def distance(self, x: Array) -> float:
        """-cos(M, X A); infinite where X A is zero, which has no direction."""
        length = self._length(x)
        return -float(np.sum(self.p * x)) / (self.norm * length) if length else float("inf")

    def slope(self, x: Array) -> Array:
        """The gradient of :meth:`distance`, [d, r]."""
        length = self._length(x)
        along = float(np.sum(self.p * x)) / length**2
        return (along * (x @ self.g) - self.p) / (self.norm * length)

    def _length(self, x: Array) -> float:
        """||X A||_F."""
        return math.sqrt(max(float(np.sum((x @ self.g) * x)), 0.0))


def fair_rule(settings: MethodProfile) -> Rule:
    """B = mean(B) + D and A = mean(A), D = argmin -cos(M, (mean(B) + D) mean(A)) + lambda ||D||_F.

    M = sum w_k B_k A_k, lambda is ``fair_weight``. The paper goes a few steps of SGD; here it goes on until D rests,
    or for 500 steps.
    """

    def rule(layer: LayerUpdates) -> LayerResult:
        b, a = mean_of(layer.weights, layer.b), mean_of(layer.weights, layer.a)
        norm = product_norm(*stacked(list(zip(layer.weights, layer.b, layer.a, strict=True))))
        parts = zip(layer.weights, layer.b, layer.a, strict=True)
        p = np.sum([weight * (b_k @ (a_k @ a.T)) for weight, b_k, a_k in parts], axis=0)
        return LayerResult(b + correction(b, Aim(p, a @ a.T, norm), settings.fair_weight), a)

    return rule


def correction(b: Array, aim: Aim, weight: float) -> Array:
    """D [d, r], by proximal gradient steps from D = 0; each lowers the objective, so the result is never worse than 0.

    The proximal map of weight ||D|| shortens D, to exactly 0 where the gain is below the weight. 0 where M or the mean
    product is zero: there is no direction then.
    """
    d = np.zeros_like(b)
    if not aim.norm or not np.isfinite(aim.distance(b)):
        return d
    # 1 / the curvature of -cos at B is a first stride; a stride is halved until it is one.
    stride = float(np.sum((b @ aim.g) * b)) / float(np.linalg.norm(aim.g, 2))
    for _ in range(STEPS):
        step, stride = _stepped(b, d, aim, weight, stride)
        moved = float(np.linalg.norm(step - d))
        d, stride = step, 2 * stride
        if moved <= TOLERANCE * float(np.linalg.norm(b)):
            break
    return d


def _stepped(b: Array, d: Array, aim: Aim, weight: float, stride: float) -> tuple[Array, float]:
    """D after a step, and the stride that it took: the first of the halved ones that the quadratic model bounds."""
    start, slope = aim.distance(b + d), aim.slope(b + d)
    while True:
        step = _shortened(d - stride * slope, stride * weight)
        move = step - d
        bound = start + float(np.sum(slope * move)) + float(np.sum(move * move)) / (2 * stride)
        # Where the move is rounding, so is the difference of the two sides.
        if aim.distance(b + step) <= bound + 4 * np.finfo(np.float64).eps:
            return step, stride
        stride /= 2


def _shortened(d: Array, by: float) -> Array:
    norm = float(np.linalg.norm(d))
    return d * (1 - by / norm) if norm > by else np.zeros_like(d)
