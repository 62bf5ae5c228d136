"""LoRA-FAIR: the corrected mean of B is nearer to the exact aggregate, at what the correction costs."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.learning.aggregation.fair import fair_rule
from harness.learning.aggregation.layer import Array, LayerUpdates
from harness.learning.aggregation.means import mean_of
from harness.profiles import MethodProfile

sides = st.integers(3, 12)
STEPS_LEAVE = 1e-4
"""More than what the last of all steps leaves to be gained: 3e-6 at most in a thousand layers drawn like these."""


def layer_of(d: int, k: int, clients: int, seed: int) -> LayerUpdates:
    chance = np.random.default_rng(seed)
    b = tuple(chance.standard_normal((d, 2)) for _ in range(clients))
    a = tuple(chance.standard_normal((2, k)) for _ in range(clients))
    return LayerUpdates(1, 1.0, (1 / clients,) * clients, b, a, b[0], a[0], b[0], a[0])


def fair(layer: LayerUpdates, weight: float) -> tuple[Array, Array]:
    result = fair_rule(MethodProfile(fair_weight=weight))(layer)
    assert result.b is not None
    assert result.a is not None
    return result.b, result.a


def objective(layer: LayerUpdates, b: Array, weight: float) -> float:
    """As it is written, of dense matrices."""
    mean_b, mean_a = mean_of(layer.weights, layer.b), mean_of(layer.weights, layer.a)
    m = sum(w * (x @ y) for w, x, y in zip(layer.weights, layer.b, layer.a, strict=True))
    cosine = np.sum(m * (b @ mean_a)) / (np.linalg.norm(m) * np.linalg.norm(b @ mean_a))
    return float(weight * np.linalg.norm(b - mean_b) - cosine)


@settings(max_examples=25, deadline=None)
@given(sides, sides, st.integers(2, 4), st.integers(0, 999), st.sampled_from([0.0, 0.01, 0.1]))
@example(3, 3, 2, 2, 0.01)  # where D has not come to rest after all steps
def test_no_b_nearby_is_better(d: int, k: int, clients: int, seed: int, weight: float) -> None:
    layer = layer_of(d, k, clients, seed)
    b, a = fair(layer, weight)
    found, chance = objective(layer, b, weight), np.random.default_rng(seed)
    assert np.array_equal(a, mean_of(layer.weights, layer.a))
    assert found <= objective(layer, mean_of(layer.weights, layer.b), weight) + 1e-12
    for size in (1e-1, 1e-2, 1e-3):
        for _ in range(20):
            assert found <= objective(layer, b + size * chance.standard_normal(b.shape), weight) + STEPS_LEAVE


@pytest.mark.parametrize("clients", [1, 3])
def test_equal_clients_have_nothing_to_correct(clients: int) -> None:
    one = layer_of(6, 8, 1, 5)
    layer = LayerUpdates(1, 1.0, (1 / clients,) * clients, one.b * clients, one.a * clients, *[one.b[0], one.a[0]] * 2)
    assert np.allclose(fair(layer, 0.01)[0], one.b[0], atol=1e-12)


def test_where_the_correction_costs_more_than_it_gains_there_is_none() -> None:
    layer = layer_of(6, 8, 3, 1)
    assert np.array_equal(fair(layer, 1e3)[0], mean_of(layer.weights, layer.b))


def test_without_a_cost_the_direction_is_the_best_that_the_mean_of_a_can_give() -> None:
    layer = layer_of(7, 9, 3, 2)
    b, a = fair(layer, 0.0)
    m = sum(w * (x @ y) for w, x, y in zip(layer.weights, layer.b, layer.a, strict=True))
    best = m @ np.linalg.pinv(a) @ a
    cosine = np.sum(best * (b @ a)) / (np.linalg.norm(best) * np.linalg.norm(b @ a))
    assert cosine == pytest.approx(1.0, abs=1e-8)


def test_a_mean_of_nothing_has_no_direction() -> None:
    layer = layer_of(5, 6, 2, 3)
    zero = LayerUpdates(1, 1.0, layer.weights, (0 * layer.b[0],) * 2, layer.a, *[layer.b[0], layer.a[0]] * 2)
    assert not fair(zero, 0.01)[0].any()
