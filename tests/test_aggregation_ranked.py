"""Clients of different ranks: products are reduced together (FlexLoRA), or padded factors averaged (HetLoRA)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from low_rank_layers import dense, layer_of, layers

from harness.learning.aggregation.errors import errors_of, made_by
from harness.learning.aggregation.fra import fra_rule
from harness.learning.aggregation.layer import Array, LayerResult, LayerUpdates
from harness.learning.aggregation.lowrank import product_norm
from harness.learning.aggregation.ranked import flexlora_rule, hetlora_rule
from harness.profiles import FraProfile, MethodProfile


def factors(result: LayerResult) -> tuple[Array, Array]:
    assert result.b is not None
    assert result.a is not None
    return result.b, result.a


def with_norms(layer: LayerUpdates) -> LayerUpdates:
    """As if it were the only layer."""
    return replace(layer, norms=tuple(product_norm(b, a) for b, a in zip(layer.b, layer.a, strict=True)))


@settings(max_examples=50, deadline=None)
@given(layers(equal_ranks=False))
def test_flexlora_makes_the_best_of_all_ranks_together(layer: LayerUpdates) -> None:
    b, a = factors(flexlora_rule(MethodProfile())(layer))
    beyond = np.linalg.svd(dense(layer), compute_uv=False)[b.shape[1] :]
    assert (b.shape, a.shape) == (layer.b_before.shape, layer.a_before.shape)
    assert np.linalg.norm(dense(layer) - b @ a) == pytest.approx(np.linalg.norm(beyond), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(layers(equal_ranks=False))
def test_a_cut_of_flexloras_factors_is_the_best_of_its_rank(layer: LayerUpdates) -> None:
    b, a = factors(flexlora_rule(MethodProfile())(layer))
    s = np.linalg.svd(dense(layer), compute_uv=False)
    for rank in range(1, b.shape[1] + 1):
        error = np.linalg.norm(dense(layer) - b[:, :rank] @ a[:rank])
        assert error == pytest.approx(np.linalg.norm(s[rank:]), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(layers())
def test_flexlora_of_equal_ranks_is_fra(layer: LayerUpdates) -> None:
    chosen = MethodProfile(fra=FraProfile(split="into-b", residual="feedback"))
    flex, fra = flexlora_rule(chosen)(layer), fra_rule(chosen)(layer)
    assert all(np.array_equal(one, other) for one, other in zip(factors(flex), factors(fra), strict=True))
    assert np.array_equal(np.asarray(flex.feedback), np.asarray(fra.feedback))


@pytest.mark.parametrize(("d", "k"), [(6, 4), (4, 6), (5, 5)])
def test_hetlora_weighs_padded_factors_by_the_norms_of_their_products(d: int, k: int) -> None:
    layer = replace(layer_of(d, k, [3, 1], rank=3), norms=(1.0, 3.0))
    b, a = factors(hetlora_rule(MethodProfile())(layer))
    assert b[:, :1] == pytest.approx(0.25 * layer.b[0][:, :1] + 0.75 * layer.b[1])
    assert a[:1] == pytest.approx(0.25 * layer.a[0][:1] + 0.75 * layer.a[1])
    assert b[:, 1:] == pytest.approx(0.25 * layer.b[0][:, 1:])
    assert a[1:] == pytest.approx(0.25 * layer.a[0][1:])


def test_components_that_no_client_of_the_round_has_stay_as_they_were() -> None:
    layer = with_norms(layer_of(6, 4, [2, 1], rank=4))
    b, a = factors(hetlora_rule(MethodProfile())(layer))
    assert np.array_equal(b[:, 2:], layer.b_before[:, 2:])
    assert np.array_equal(a[2:], layer.a_before[2:])


def test_samples_weigh_where_nothing_was_learned_yet() -> None:
    """B is zero at first, and so are all products; A has no reason to become anything else than a mean."""
    layer = layer_of(6, 4, [2, 2])
    zero = np.zeros((6, 2))
    unmoved = replace(layer, b=(zero, zero), b_before=zero, norms=(0.0, 0.0))
    b, a = factors(hetlora_rule(MethodProfile())(unmoved))
    assert not b.any()
    assert a == pytest.approx(layer.weights[0] * layer.a[0] + layer.weights[1] * layer.a[1])


def test_hetlora_asks_for_norms() -> None:
    with pytest.raises(ValueError, match="0 norms for 2 clients"):
        hetlora_rule(MethodProfile())(layer_of(6, 4, [2, 1]))


@settings(max_examples=40, deadline=None)
@given(layers(equal_ranks=False))
def test_no_mean_of_factors_is_nearer_than_the_reduced_aggregate(layer: LayerUpdates) -> None:
    normed = with_norms(layer)
    made = [made_by(normed, rule(MethodProfile())(normed)) for rule in (flexlora_rule, hetlora_rule)]
    flex, het = (errors_of([normed], [one]).made for one in made)
    assert flex is not None
    assert het is not None
    assert flex <= het + 1e-9


@settings(max_examples=20, deadline=None)
@given(layers(equal_ranks=False))
def test_equal_rounds_give_equal_bits(layer: LayerUpdates) -> None:
    normed = with_norms(layer)
    for rule in (flexlora_rule(MethodProfile()), hetlora_rule(MethodProfile())):
        assert all(
            np.array_equal(one, other) for one, other in zip(factors(rule(normed)), factors(rule(normed)), strict=True)
        )
