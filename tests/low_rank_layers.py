"""Made layers of a round, of all shapes: what clients learned from common factors. For the tests of aggregation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from harness.learning.aggregation.layer import Array, LayerUpdates

SHAPES = st.tuples(st.integers(1, 14), st.integers(1, 14))
"""[d, k]: tall, wide and square."""


def layer_of(
    d: int, k: int, ranks: list[int], *, rank: int = 0, round: int = 1, scale: float = 2.0, seed: int = 0
) -> LayerUpdates:
    """One client for each of ``ranks``: factors a tenth away from the common ones; weights of uneven samples."""
    chance = np.random.default_rng([seed, d, k, len(ranks)])
    rank = rank or max(ranks)
    b, a = chance.normal(size=(d, rank)), chance.normal(size=(rank, k))
    samples = chance.integers(1, 100, size=len(ranks))
    return LayerUpdates(
        round=round,
        scale=scale,
        weights=tuple((samples / samples.sum()).tolist()),
        b=tuple(b[:, :r] + 0.1 * chance.normal(size=(d, r)) for r in ranks),
        a=tuple(a[:r] + 0.1 * chance.normal(size=(r, k)) for r in ranks),
        b_before=b,
        a_before=a,
        b_init=chance.normal(size=(d, rank)),
        a_init=chance.normal(size=(rank, k)),
    )


@st.composite
def layers(draw: st.DrawFn, *, clients: int = 5, equal_ranks: bool = True) -> LayerUpdates:
    """Ranks from 1 on, above both sides of the matrix too."""
    d, k = draw(SHAPES)
    number, rank = draw(st.integers(1, clients)), draw(st.integers(1, 6))
    ranks = [rank] * number if equal_ranks else draw(st.lists(st.integers(1, rank), min_size=number, max_size=number))
    return layer_of(d, k, ranks, rank=rank, seed=draw(st.integers(0, 2**31)))


def dense(layer: LayerUpdates) -> Array:
    """M [d, k] = sum w_k B_k A_k, without the scale."""
    products = [weight * b @ a for weight, b, a in zip(layer.weights, layer.b, layer.a, strict=True)]
    return np.sum(products, axis=0)


def over_common(layer: LayerUpdates) -> LayerUpdates:
    """The same round, with A frozen."""
    return replace(layer, a=tuple(layer.a_before for _ in layer.a))


def with_nothing_learned(layer: LayerUpdates) -> LayerUpdates:
    """Every client sends back what it was given."""
    given = tuple(layer.b_before for _ in layer.b), tuple(layer.a_before for _ in layer.a)
    return replace(layer, b=given[0], a=given[1])


def transposed(layer: LayerUpdates) -> LayerUpdates:
    """The layer of M^T = sum w_k A_k^T B_k^T."""
    return replace(
        layer,
        b=tuple(a.T for a in layer.a),
        a=tuple(b.T for b in layer.b),
        b_before=layer.a_before.T,
        a_before=layer.b_before.T,
        b_init=layer.a_init.T,
        a_init=layer.b_init.T,
    )
