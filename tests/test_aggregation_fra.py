"""FRA: the best factors of the aggregate; what is left of it is dropped, folded or fed back; then a frozen A."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from low_rank_layers import dense, layer_of, layers, over_common, transposed, with_nothing_learned

from harness.learning.aggregation.errors import errors_of, made_by
from harness.learning.aggregation.fra import fra_ffa_rule, fra_rule
from harness.learning.aggregation.layer import LayerResult, LayerUpdates
from harness.profiles import FraProfile, MethodProfile

FRA = st.builds(
    FraProfile,
    split=st.sampled_from(["balanced", "into-b", "into-a"]),
    route=st.sampled_from(["auto", "qr", "dense"]),
)


def by(fra: FraProfile) -> MethodProfile:
    return MethodProfile(fra=fra)


def product(result: LayerResult) -> np.ndarray:
    assert result.b is not None
    assert result.a is not None
    return result.b @ result.a


def best(matrix: np.ndarray, rank: int) -> np.ndarray:
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    return (u[:, :rank] * s[:rank]) @ vt[:rank]


@settings(max_examples=60, deadline=None)
@given(layers(), FRA)
def test_what_fra_makes_is_the_truncation_and_never_above_the_error_of_means(
    layer: LayerUpdates, fra: FraProfile
) -> None:
    found = errors_of([layer], [made_by(layer, fra_rule(by(fra))(layer))])
    assert found.made is not None
    assert found.averaging is not None
    assert found.made == pytest.approx(found.truncation, abs=1e-9)
    assert found.made <= found.averaging + 1e-9


@settings(max_examples=40, deadline=None)
@given(layers(), FRA)
def test_factors_keep_their_shapes_whatever_the_rank_of_the_aggregate(layer: LayerUpdates, fra: FraProfile) -> None:
    result = fra_rule(by(fra))(layer)
    assert result.b is not None
    assert result.a is not None
    assert (result.b.shape, result.a.shape) == (layer.b_before.shape, layer.a_before.shape)
    assert np.isfinite(result.b).all()
    assert np.isfinite(result.a).all()
    assert (result.stack, result.feedback) == (None, None)


@settings(max_examples=40, deadline=None)
@given(layers())
def test_the_transposed_layer_gives_the_transposed_product(layer: LayerUpdates) -> None:
    rule = fra_rule(MethodProfile())
    assert product(rule(transposed(layer))) == pytest.approx(product(rule(layer)).T, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(layers())
def test_qr_and_dense_make_the_same(layer: LayerUpdates) -> None:
    by_qr, by_dense = (product(fra_rule(by(FraProfile(route=route)))(layer)) for route in ("qr", "dense"))
    assert np.linalg.norm(by_qr - by_dense) <= 1e-5 * np.linalg.norm(dense(layer))


@settings(max_examples=30, deadline=None)
@given(layers(clients=1), FRA)
def test_one_client_is_taken_over_as_it_is(layer: LayerUpdates, fra: FraProfile) -> None:
    assert product(fra_rule(by(fra))(layer)) == pytest.approx(layer.b[0] @ layer.a[0], abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(layers())
def test_a_folded_residual_makes_the_aggregate_exact(layer: LayerUpdates) -> None:
    result = fra_rule(by(FraProfile(residual="fold")))(layer)
    folded = result.stack[0] @ result.stack[1] if result.stack else 0.0
    assert layer.scale * product(result) + folded == pytest.approx(layer.scale * dense(layer), abs=1e-10)
    assert errors_of([layer], [made_by(layer, result)]).made == pytest.approx(0, abs=1e-9)


def test_nothing_is_folded_where_nothing_is_left() -> None:
    assert fra_rule(by(FraProfile(residual="fold")))(layer_of(9, 5, [3])).stack is None


@settings(max_examples=30, deadline=None)
@given(layers(), st.sampled_from(["auto", "qr", "dense"]))
def test_a_residual_that_is_fed_back_is_in_the_next_aggregate(layer: LayerUpdates, route: str) -> None:
    rule = fra_rule(by(FraProfile(residual="feedback", route=route)))  # type: ignore[arg-type]
    first = rule(layer)
    assert first.feedback is not None
    assert product(first) + first.feedback == pytest.approx(dense(layer), abs=1e-10)
    second = rule(replace(layer, round=2, feedback=first.feedback))
    assert second.feedback is not None
    assert product(second) + second.feedback == pytest.approx(dense(layer) + first.feedback, abs=1e-10)


def test_what_is_fed_back_is_zero_where_nothing_is_left() -> None:
    result = fra_rule(by(FraProfile(residual="feedback")))(layer_of(9, 5, [3]))
    assert result.feedback is not None
    assert result.feedback.shape == (9, 5)
    assert not result.feedback.any()


@settings(max_examples=30, deadline=None)
@given(layers())
def test_increments_are_over_the_first_factors_in_the_first_round_alone(layer: LayerUpdates) -> None:
    rule = fra_rule(by(FraProfile(aggregate="increment")))
    rank = layer.b_before.shape[1]
    increment = dense(layer) - layer.b_init @ layer.a_init
    assert product(rule(layer)) == pytest.approx(best(increment, rank), abs=1e-8)
    assert product(rule(replace(layer, round=2))) == pytest.approx(best(dense(layer), rank), abs=1e-8)


def test_increments_give_the_principal_part_back_to_the_frozen_weights() -> None:
    """The clients of round 1 had W - s B0 A0, those of round 2 have W: what was made counts s B0 A0."""
    layer = layer_of(8, 11, [6])
    layer = replace(layer, b_init=layer.b_before, a_init=layer.a_before)
    result = fra_rule(by(FraProfile(aggregate="increment")))(layer)
    wanted = layer.scale * np.linalg.norm(dense(layer) - product(result) - layer.b_init @ layer.a_init)
    found = errors_of([layer], [made_by(layer, result, base_restored=True)])
    assert found.made == pytest.approx(wanted / found.change, abs=1e-10)


@pytest.mark.parametrize("aggregate", ["product", "increment"])
def test_nothing_learned_leaves_components_that_can_learn(aggregate: str) -> None:
    """B0 A0 unmoved: its product stays, or the increment is nothing; no component has two factors of zero."""
    layer = layer_of(10, 6, [3, 3, 3])
    same = with_nothing_learned(replace(layer, b_init=layer.b_before, a_init=layer.a_before))
    result = fra_rule(by(FraProfile(aggregate=aggregate)))(same)  # type: ignore[arg-type]
    wanted = layer.b_before @ layer.a_before if aggregate == "product" else np.zeros((10, 6))
    assert product(result) == pytest.approx(wanted, abs=1e-12)
    assert result.a is not None
    assert result.a.any(axis=1).all()


@settings(max_examples=30, deadline=None)
@given(layers(), FRA, st.sampled_from(["drop", "fold", "feedback"]))
def test_a_frozen_a_makes_the_mean_of_b_exact(layer: LayerUpdates, fra: FraProfile, residual: str) -> None:
    rule = fra_ffa_rule(MethodProfile(switch_round=3, fra=FraProfile(split=fra.split, residual=residual)))  # type: ignore[arg-type]
    frozen = replace(over_common(layer), round=4)
    result = rule(frozen)
    assert result.a is not None
    assert np.array_equal(result.a, layer.a_before)
    assert product(result) == pytest.approx(dense(frozen), abs=1e-12)
    assert (result.stack, result.feedback) == (None, None)


def test_fra_ffa_is_fra_until_its_switch_round() -> None:
    staged, plain = fra_ffa_rule(MethodProfile(switch_round=3)), fra_rule(MethodProfile())
    for round in (1, 2):
        layer = layer_of(7, 9, [2, 2], round=round)
        for one, other in zip(vars(staged(layer)).values(), vars(plain(layer)).values(), strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize("split", ["balanced", "into-a"])
def test_the_a_that_is_frozen_has_rows_of_length_one(split: str) -> None:
    """Of the same product: else B could hardly move it where it is small, as after a Gaussian start."""
    fra = FraProfile(split=split)  # type: ignore[arg-type]
    layer = layer_of(7, 9, [2, 2], round=3)
    last, plain = fra_ffa_rule(MethodProfile(switch_round=3, fra=fra))(layer), fra_rule(by(fra))(layer)
    assert product(last) == pytest.approx(product(plain), abs=1e-12)
    assert last.a is not None
    assert last.a @ last.a.T == pytest.approx(np.eye(2), abs=1e-12)


def test_what_is_fed_back_at_the_switch_is_nothing_that_b_could_take_up() -> None:
    """Its rows are orthogonal to those of A."""
    result = fra_rule(by(FraProfile(residual="feedback")))(layer_of(9, 12, [3, 3]))
    assert result.feedback is not None
    assert result.a is not None
    assert result.feedback.any()
    assert result.feedback @ result.a.T == pytest.approx(np.zeros((9, 3)), abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(layers(), FRA)
def test_equal_rounds_give_equal_bits_and_inputs_stay_as_they_are(layer: LayerUpdates, fra: FraProfile) -> None:
    copies = [part.copy() for part in (*layer.b, *layer.a, layer.b_before, layer.a_before)]
    first, second = (fra_rule(by(fra))(layer) for _ in range(2))
    assert np.array_equal(first.b, second.b)  # type: ignore[arg-type]
    assert np.array_equal(first.a, second.a)  # type: ignore[arg-type]
    assert all(map(np.array_equal, copies, (*layer.b, *layer.a, layer.b_before, layer.a_before)))
