"""FRA-LoRA: the full-rank aggregate of the clients' products, reduced to rank r (arXiv 2501.06332). Pure."""

from __future__ import annotations

import msgspec

from harness.learning.aggregation.layer import Array, LayerResult, LayerUpdates, Rule
from harness.learning.aggregation.lowrank import Decomposition, Term, as_product, best_factors, decomposed, leftover
from harness.learning.aggregation.means import mean_of
from harness.profiles import MethodProfile
from harness.profiles.methods import FraProfile


def fra_rule(settings: MethodProfile) -> Rule:
    """M = sum w_k B_k A_k, by SVD to the rank of the factors before; ``settings.fra`` says how.

    ``increment``: M - B0 A0 is reduced in the first round, where the factors stand over the pretrained weights without
    their principal part; from the second on they stand over the pretrained weights, and M is the increment.
    """

    def rule(layer: LayerUpdates) -> LayerResult:
        return reduced(layer, settings.fra)

    return rule


def fra_ffa_rule(settings: MethodProfile) -> Rule:
    """FRA until ``switch_round``; then A is common and frozen, and the mean of B is exact (as FFA-LoRA, 2403.12313)."""

    def rule(layer: LayerUpdates) -> LayerResult:
        if layer.round > settings.switch_round:
            return over_common_a(layer)
        return reduced(layer, fra_of(settings, layer.round))

    return rule


def fra_of(settings: MethodProfile, round: int) -> FraProfile:
    """The options of a round of FRA: before A is frozen (fra-ffa) all of S goes into B, whatever ``split`` says.

    The product is the same. But B alone is trained from then on, and s B A moves with it by the size of A's rows, which
    is 1 in V^T and sqrt(S), next to nothing at first, in the balanced split.
    """
    return msgspec.structs.replace(settings.fra, split="into-b") if round == settings.switch_round else settings.fra


def over_common_a(layer: LayerUpdates) -> LayerResult:
    """mean(B) and the common A: their product is M.

    Nothing is left over, and what an earlier reduction left is let go: its rows are orthogonal to those of A, so that
    no B could take it up.
    """
    return LayerResult(mean_of(layer.weights, layer.b), layer.a_before)


def reduced(layer: LayerUpdates, fra: FraProfile) -> LayerResult:
    """The aggregate of a layer at the rank of the factors before, and what becomes of the rest of it."""
    parts = decomposed(_aggregate(layer, fra), fra.route)
    rank = layer.b_before.shape[1]
    b, a = best_factors(parts, rank, fra.split, layer.a_before)
    if fra.residual == "fold":
        return LayerResult(b, a, stack=_folded(parts, rank, layer.scale))
    if fra.residual == "feedback":
        rest_b, rest_a = leftover(parts, rank)
        return LayerResult(b, a, feedback=rest_b @ rest_a)
    return LayerResult(b, a)


def _aggregate(layer: LayerUpdates, fra: FraProfile) -> list[Term]:
    """M as a sum of products, with what the round before left over."""
    terms: list[Term] = list(zip(layer.weights, layer.b, layer.a, strict=True))
    if fra.aggregate == "increment" and layer.round == 1:
        terms.append((-1.0, layer.b_init, layer.a_init))
    if layer.feedback is not None:
        terms.append(as_product(layer.feedback))
    return terms


def _folded(parts: Decomposition, rank: int, scale: float) -> tuple[Array, Array] | None:
    """What the frozen weights of all take up, in units of W."""
    b, a = leftover(parts, rank)
    return (scale * b, a) if b.shape[1] else None
