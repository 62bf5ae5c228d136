"""Error components by small cores are those of the dense matrices, and hold what is known of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from low_rank_layers import dense, layer_of, layers, over_common, transposed, with_nothing_learned

from harness.learning.aggregation.errors import Made, Squares, components, errors_of, made_by, squares_of
from harness.learning.aggregation.fra import fra_rule, over_common_a
from harness.learning.aggregation.layer import Array, LayerResult, LayerUpdates
from harness.profiles import MethodProfile
from harness.records import ErrorComponents


def means(layer: LayerUpdates) -> Made:
    """FedAvg's factors: means of those of equal rank."""
    return (
        np.sum([weight * b for weight, b in zip(layer.weights, layer.b, strict=True)], axis=0),
        np.sum([weight * a for weight, a in zip(layer.weights, layer.a, strict=True)], axis=0),
        None,
    )


def padded(factor: Array, d: int, rank: int) -> Array:
    whole = np.zeros((d, rank))
    whole[:, : factor.shape[1]] = factor
    return whole


def by_dense(layer: LayerUpdates, made: Made) -> ErrorComponents:
    """The definitions as they are written."""
    (d, rank), k = layer.b_before.shape, layer.a_before.shape[1]
    weighted = list(zip(layer.weights, layer.b, layer.a, strict=True))
    m = layer.scale * dense(layer)
    given = [layer.b_before[:, : len(a)] @ layer.a_before[: len(a)] for a in layer.a]
    before = layer.scale * np.sum([w * product for w, product in zip(layer.weights, given, strict=True)], axis=0)
    mean_b = np.sum([w * padded(b, d, rank) for w, b, _ in weighted], axis=0)
    mean_a = np.sum([w * padded(a.T, k, rank).T for w, _, a in weighted], axis=0)
    b, a, stack = made
    new = layer.scale * b @ a + (stack[0] @ stack[1] if stack else 0.0)
    change = float(np.linalg.norm(m - before))
    beyond = np.linalg.svd(m, compute_uv=False)[rank:]
    parts = (np.linalg.norm(m - layer.scale * mean_b @ mean_a), np.linalg.norm(beyond), np.linalg.norm(m - new))
    averaging, truncation, of_made = (float(part) / change for part in parts)
    return ErrorComponents(change=change, averaging=averaging, truncation=truncation, made=of_made)


def close_to(wanted: ErrorComponents) -> ErrorComponents:
    names = ("change", "averaging", "truncation", "made")
    near = {name: pytest.approx(getattr(wanted, name), rel=1e-8, abs=1e-10) for name in names}
    return ErrorComponents(**near)


@st.composite
def made_of(draw: st.DrawFn, equal_ranks: bool = False) -> tuple[LayerUpdates, Made]:
    """A layer, and any new factors with a stack or none."""
    layer = draw(layers(equal_ranks=equal_ranks))
    chance = np.random.default_rng(draw(st.integers(0, 1000)))
    (d, rank), k = layer.b_before.shape, layer.a_before.shape[1]
    width = draw(st.integers(0, 5))
    stack = (chance.normal(size=(d, width)), chance.normal(size=(width, k))) if width else None
    return layer, (chance.normal(size=(d, rank)), chance.normal(size=(rank, k)), stack)


@settings(max_examples=80, deadline=None)
@given(made_of())
def test_cores_tell_what_the_dense_matrices_tell(case: tuple[LayerUpdates, Made]) -> None:
    layer, made = case
    assert errors_of([layer], [made]) == close_to(by_dense(layer, made))


@pytest.mark.parametrize(("d", "k"), [(300, 40), (40, 300), (64, 64)])
def test_cores_tell_what_the_dense_matrices_tell_of_large_layers(d: int, k: int) -> None:
    layer = layer_of(d, k, [8, 2, 5], rank=8)
    made: Made = (layer.b_init, layer.a_init, None)
    assert errors_of([layer], [made]) == close_to(by_dense(layer, made))


@settings(max_examples=40, deadline=None)
@given(made_of())
def test_the_transposed_layer_has_the_same_errors(case: tuple[LayerUpdates, Made]) -> None:
    layer, (b, a, stack) = case
    turned: Made = (a.T, b.T, (stack[1].T, stack[0].T) if stack else None)
    assert errors_of([transposed(layer)], [turned]) == close_to(errors_of([layer], [(b, a, stack)]))


@settings(max_examples=40, deadline=None)
@given(layers())
def test_the_averaging_identity(layer: LayerUpdates) -> None:
    """sum w B_k A_k - mean B mean A = sum w (B_k - mean B)(A_k - mean A): what FedAvg makes of M is averaging's."""
    mean_b, mean_a, _ = means(layer)
    apart = [weight * (b - mean_b) @ (a - mean_a) for weight, b, a in zip(layer.weights, layer.b, layer.a, strict=True)]
    assert dense(layer) - mean_b @ mean_a == pytest.approx(np.sum(apart, axis=0), abs=1e-12)
    found = errors_of([layer], [means(layer)])
    norm = layer.scale * float(np.linalg.norm(np.sum(apart, axis=0)))
    assert found.averaging == pytest.approx(norm / found.change, abs=1e-12)
    assert found.made == pytest.approx(found.averaging, abs=1e-10)


@settings(max_examples=60, deadline=None)
@given(st.lists(layers(equal_ranks=False), min_size=1, max_size=3))
def test_truncation_is_never_above_averaging(round: list[LayerUpdates]) -> None:
    """The product of the means has rank r too."""
    found = errors_of(round, [(layer.b_before, layer.a_before, None) for layer in round])
    assert found.truncation is not None
    assert found.averaging is not None
    assert found.truncation <= found.averaging + 1e-10


@settings(max_examples=30, deadline=None)
@given(layers(clients=1))
def test_one_client_has_no_error(layer: LayerUpdates) -> None:
    found = errors_of([layer], [means(layer)])
    assert found.averaging == 0
    assert found.truncation == pytest.approx(0, abs=1e-9)
    assert found.made == pytest.approx(0, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(layers())
def test_a_common_a_has_no_averaging_error_and_the_mean_of_b_is_exact(layer: LayerUpdates) -> None:
    frozen = over_common(layer)
    found = errors_of([frozen], [made_by(frozen, over_common_a(frozen))])
    assert found.averaging == 0
    assert found.truncation == pytest.approx(0, abs=1e-9)
    assert found.made == pytest.approx(0, abs=1e-9)


def test_a_small_change_of_large_factors_keeps_its_digits() -> None:
    """As over FeDeRA's start: B0 A0 is large, what a round learns is a billionth of it."""
    layer = layer_of(30, 20, [4, 4], seed=3)
    chance = np.random.default_rng(1)
    steps = [(1e-9 * chance.normal(size=(30, 4)), 1e-9 * chance.normal(size=(4, 20))) for _ in range(2)]
    small = replace(
        layer,
        b=tuple(layer.b_before + step for step, _ in steps),
        a=tuple(layer.a_before + step for _, step in steps),
    )
    apart = np.linalg.norm((steps[0][0] - steps[1][0]) @ (steps[0][1] - steps[1][1]))
    found = errors_of([small], [means(small)])
    wanted = layer.scale * layer.weights[0] * layer.weights[1] * apart / found.change
    assert found.averaging == pytest.approx(wanted, rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(layers())
def test_nothing_learned_has_no_relative_errors(layer: LayerUpdates) -> None:
    same = with_nothing_learned(layer)
    found = errors_of([same], [(same.b_before, same.a_before, None)])
    assert found == ErrorComponents(change=0.0, averaging=None, truncation=None, made=None)


def test_the_first_round_of_a_gaussian_start_changes_nothing_where_b_stays_zero() -> None:
    layer = layer_of(6, 4, [3, 3])
    zero = np.zeros((6, 3))
    unmoved = replace(layer, b=(zero, zero), b_before=zero)
    result = fra_rule(MethodProfile())(unmoved)
    assert errors_of([unmoved], [made_by(unmoved, result)]).made is None
    assert not np.asarray(result.b).any()


def test_a_round_is_the_root_of_the_squares_of_its_layers() -> None:
    round = [layer_of(7, 5, [2, 2], seed=1), layer_of(5, 9, [3, 3, 3], seed=2)]
    made = [means(layer) for layer in round]
    alone = [squares_of(layer, new) for layer, new in zip(round, made, strict=True)]
    both = Squares(*(sum(parts) for parts in zip(*(vars(one).values() for one in alone), strict=True)))
    assert errors_of(iter(round), iter(made)) == components(both) == components(alone[0] + alone[1])
    assert components(both).change == pytest.approx(sum(one.change for one in alone) ** 0.5)


def test_what_is_made_counts_a_stack_and_factors_that_begin_anew() -> None:
    """FLoRA: M goes into the frozen weights, over the product that the fresh factors have again."""
    layer = layer_of(8, 6, [2, 2])
    terms = [*zip(layer.weights, layer.b, layer.a, strict=True), (-1.0, layer.b_before, layer.a_before)]
    stack = (np.hstack([layer.scale * weight * b for weight, b, _ in terms]), np.vstack([a for *_, a in terms]))
    assert errors_of([layer], [made_by(layer, LayerResult(None, None, stack))]).made == pytest.approx(0, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(made_of())
def test_equal_rounds_have_equal_bits(case: tuple[LayerUpdates, Made]) -> None:
    layer, made = case
    turned = replace(layer, b=tuple(np.asfortranarray(b) for b in layer.b))
    assert errors_of([layer], [made]) == errors_of([turned], [made])
