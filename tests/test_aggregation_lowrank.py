"""The best factors of a sum of products: by QR as by the dense matrix, in one sign, alive where M has no direction."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from low_rank_layers import dense, layer_of, layers

from harness.learning.aggregation.layer import LayerUpdates
from harness.learning.aggregation.lowrank import (
    Route,
    Term,
    as_product,
    best_factors,
    decomposed,
    leftover,
    product_norm,
    stacked,
    triangle,
)
from harness.profiles.methods import Split

SPLITS: tuple[Split, ...] = ("balanced", "into-b", "into-a")
ROUTES: tuple[Route, ...] = ("auto", "qr", "dense")


def terms_of(layer: LayerUpdates) -> list[Term]:
    return list(zip(layer.weights, layer.b, layer.a, strict=True))


def best(layer: LayerUpdates, route: Route = "auto", split: Split = "balanced") -> tuple[np.ndarray, np.ndarray]:
    return best_factors(decomposed(terms_of(layer), route), layer.b_before.shape[1], split, layer.a_before)


@settings(max_examples=40, deadline=None)
@given(layers(equal_ranks=False), st.floats(-2, 2))
def test_the_stack_is_the_sum_whatever_the_signs_of_its_weights(layer: LayerUpdates, weight: float) -> None:
    left, right = stacked([*terms_of(layer), (weight, layer.b_init, layer.a_init)])
    assert left @ right == pytest.approx(dense(layer) + weight * layer.b_init @ layer.a_init, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(layers(equal_ranks=False))
def test_qr_and_dense_give_the_same_product_and_the_same_spectrum(layer: LayerUpdates) -> None:
    by_qr, by_dense = decomposed(terms_of(layer), "qr"), decomposed(terms_of(layer), "dense")
    size = np.linalg.norm(dense(layer))
    products = [b @ a for b, a in (best(layer, "qr"), best(layer, "dense"))]
    assert np.linalg.norm(products[0] - products[1]) <= 1e-5 * size
    assert by_qr.rank == by_dense.rank
    assert by_qr.s[: by_qr.rank] == pytest.approx(by_dense.s[: by_qr.rank], abs=1e-9 * size)


@pytest.mark.parametrize(("d", "k"), [(96, 40), (40, 96), (64, 64)])
def test_the_routes_agree_on_factors_themselves_at_the_sizes_of_layers(d: int, k: int) -> None:
    layer = layer_of(d, k, [8, 8, 8])
    for by_qr, by_dense in zip(best(layer, "qr"), best(layer, "dense"), strict=True):
        assert np.linalg.norm(by_qr - by_dense) <= 1e-5 * np.linalg.norm(by_dense)


@settings(max_examples=60, deadline=None)
@given(layers(equal_ranks=False), st.sampled_from(ROUTES), st.integers(1, 6))
def test_eckart_young(layer: LayerUpdates, route: Route, rank: int) -> None:
    """||M - svd_r(M)||_F^2 is the sum of sigma_i^2 beyond r, and no other product of that rank is nearer."""
    m = dense(layer)
    b, a = best_factors(decomposed(terms_of(layer), route), rank, "balanced", np.zeros((rank, m.shape[1])))
    error = np.linalg.norm(m - b @ a)
    beyond = np.linalg.svd(m, compute_uv=False)[rank:]
    assert error**2 == pytest.approx((beyond**2).sum(), rel=1e-9, abs=1e-20)
    chance = np.random.default_rng(rank)
    near = (b + 0.01 * chance.normal(size=b.shape)) @ (a + 0.01 * chance.normal(size=a.shape))
    assert error <= np.linalg.norm(m - near) + 1e-12


@settings(max_examples=40, deadline=None)
@given(layers(), st.sampled_from(ROUTES), st.integers(0, 6))
def test_what_is_left_over_and_the_best_factors_are_the_whole(layer: LayerUpdates, route: Route, rank: int) -> None:
    parts = decomposed(terms_of(layer), route)
    b, a = best_factors(parts, rank, "balanced", np.zeros((rank, parts.vt.shape[1])))
    rest_b, rest_a = leftover(parts, rank)
    assert b @ a + rest_b @ rest_a == pytest.approx(dense(layer), abs=1e-11)
    assert rest_b.shape[1] == max(0, parts.rank - rank)


@pytest.mark.parametrize(("d", "k"), [(12, 5), (5, 12), (9, 9)])
def test_splits_differ_in_where_the_singular_values_stand(d: int, k: int) -> None:
    layer = layer_of(d, k, [3, 3])
    s = np.linalg.svd(dense(layer), compute_uv=False)[:3]
    norms = {
        split: [np.linalg.norm(b, axis=0), np.linalg.norm(a, axis=1)]
        for split in SPLITS
        for b, a in [best(layer, split=split)]
    }
    assert norms["balanced"] == [pytest.approx(np.sqrt(s)), pytest.approx(np.sqrt(s))]
    assert norms["into-b"] == [pytest.approx(s), pytest.approx(np.ones(3))]
    assert norms["into-a"] == [pytest.approx(np.ones(3)), pytest.approx(s)]
    first, *others = [b @ a for b, a in (best(layer, split=split) for split in SPLITS)]
    assert others == [pytest.approx(first), pytest.approx(first)]


@settings(max_examples=40, deadline=None)
@given(layers(), st.sampled_from(ROUTES))
def test_the_largest_entry_of_each_left_direction_is_positive(layer: LayerUpdates, route: Route) -> None:
    u = decomposed(terms_of(layer), route).u
    assert (u[np.abs(u).argmax(axis=0), np.arange(u.shape[1])] > 0).all()


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("d", "k"), [(9, 4), (4, 9)])
def test_a_direction_without_a_singular_value_keeps_the_old_row_of_a(
    d: int, k: int, route: Route, split: Split
) -> None:
    """M of rank 2 where 4 are asked for: two components of M, two that can still learn."""
    chance = np.random.default_rng(5)
    b, a, old = chance.normal(size=(d, 2)), chance.normal(size=(2, k)), chance.normal(size=(4, k))
    new_b, new_a = best_factors(decomposed([(0.5, b, a), (0.5, b, a)], route), 4, split, old)
    assert new_b @ new_a == pytest.approx(b @ a)
    assert not new_b[:, 2:].any()
    assert np.array_equal(new_a[2:], old[2:])


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_learned_keeps_a_and_a_zero_b(route: Route) -> None:
    """The first round of LoRA's Gaussian start, where B is zero."""
    old = np.random.default_rng(0).normal(size=(3, 7))
    parts = decomposed([(0.25, np.zeros((5, 3)), old), (0.75, np.zeros((5, 3)), old)], route)
    b, a = best_factors(parts, 3, "balanced", old)
    assert parts.rank == 0
    assert not b.any()
    assert np.array_equal(a, old)


@pytest.mark.parametrize("route", ROUTES)
def test_what_rounding_leaves_of_large_parts_that_cancel_is_no_direction(route: Route) -> None:
    """sum w_k B0 A0 - B0 A0, of clients that learned nothing over FeDeRA's start."""
    layer = layer_of(20, 30, [4], seed=2)
    same = [(weight, layer.b_init, layer.a_init) for weight in (0.1, 0.2, 0.7, -1.0)]
    assert decomposed(same, route).rank == 0


def test_a_rank_above_both_sides_and_all_columns_is_filled_with_old_rows() -> None:
    layer = layer_of(3, 2, [1], rank=6)
    b, a = best(layer)
    assert (b.shape, a.shape) == ((3, 6), (6, 2))
    assert b @ a == pytest.approx(dense(layer))
    assert np.array_equal(a[1:], layer.a_before[1:])


@settings(max_examples=30, deadline=None)
@given(layers(equal_ranks=False), st.sampled_from(ROUTES), st.sampled_from(SPLITS))
def test_equal_values_give_equal_bits_however_they_lie_in_memory(
    layer: LayerUpdates, route: Route, split: Split
) -> None:
    turned = [(weight, np.asfortranarray(b), a[:, ::-1].copy()[:, ::-1]) for weight, b, a in terms_of(layer)]
    again = best_factors(decomposed(turned, route), layer.b_before.shape[1], split, layer.a_before)
    assert all(np.array_equal(one, other) for one, other in zip(best(layer, route, split), again, strict=True))


def test_another_process_gives_the_same_bits() -> None:
    script = (
        "from low_rank_layers import layer_of\nfrom test_aggregation_lowrank import best\n"
        "print([part.tobytes().hex() for part in best(layer_of(50, 30, [4, 4, 4]))])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )
    assert told.stdout.strip() == str([part.tobytes().hex() for part in best(layer_of(50, 30, [4, 4, 4]))])


@settings(max_examples=30, deadline=None)
@given(layers(clients=1))
def test_norms_of_products_and_of_dense_matrices(layer: LayerUpdates) -> None:
    (b,), (a,) = layer.b, layer.a
    assert product_norm(b, a) == pytest.approx(np.linalg.norm(b @ a))
    weight, left, right = as_product(b @ a)
    assert weight * left @ right == pytest.approx(b @ a)
    assert left.shape[1] == min(len(b), a.shape[1])


def test_a_triangle_keeps_inner_products_and_its_first_columns_are_short() -> None:
    side = np.random.default_rng(1).normal(size=(10, 4))
    small = triangle(side)
    assert small.shape == (4, 4)
    assert small.T @ small == pytest.approx(side.T @ side)
    assert not small[2:, :2].any()


def test_auto_goes_by_size() -> None:
    """A narrow stack's decomposition has its width, a dense one's the shorter side."""

    def directions(clients: int) -> int:
        return len(decomposed(terms_of(layer_of(40, 32, [4] * clients))).s)

    assert [directions(clients) for clients in (4, 6, 7, 8)] == [16, 24, 32, 32]
