"""Epsilon is that of Opacus' own accountants for the same noise, rate and steps."""

import logging
import math
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from harness.errors import UsageError
from harness.learning.accounting import MOST_PRV_EPSILON, foremost, most_spent, opacus_module, rate_of, spent
from harness.profiles import PrivacyProfile
from harness.records import PrivacySpent


def profile(**values: Any) -> PrivacyProfile:
    return PrivacyProfile(**{"kind": "dp-sgd", "clip": 0.7} | values)


def told(privacy: PrivacyProfile, rate: float, steps: int) -> PrivacySpent:
    found = spent(privacy, rate, steps, "sample")
    assert found is not None
    return found


def by_opacus(name: str, noise: float, rate: float, steps: int, delta: float) -> float:
    """As a training with Opacus asks it: one step after the other, then the sum."""
    from opacus.accountants import PRVAccountant, RDPAccountant

    accountant = {"rdp": RDPAccountant, "prv": PRVAccountant}[name]()
    for _ in range(steps):
        accountant.step(noise_multiplier=noise, sample_rate=rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(accountant.get_epsilon(delta=delta))


@pytest.mark.parametrize("accountant", ["rdp", "prv"])
@pytest.mark.parametrize(
    ("noise", "rate", "steps", "delta"),
    [
        (1.0, 0.01, 500, 1e-5),
        (0.8, 16 / 1200, 225, 1e-5),
        (1.3, 1.0, 15, 1e-6),
        (4.0, 0.3, 40, 1e-3),
        (1.0, 0.5, 1, 1e-5),
    ],
)
def test_it_is_what_opacus_tells(accountant: str, noise: float, rate: float, steps: int, delta: float) -> None:
    found = told(profile(noise_multiplier=noise, delta=delta, accountant=accountant), rate, steps)
    assert found.epsilon == by_opacus(accountant, noise, rate, steps, delta)
    assert found == PrivacySpent(
        epsilon=found.epsilon,
        delta=delta,
        unit="sample",
        noise_multiplier=noise,
        clip=0.7,
        sample_rate=rate,
        steps=steps,
        accountant=accountant,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("steps", [1, 20])
def test_both_agree_with_the_gaussian_mechanism_where_all_take_part(steps: int) -> None:
    """Its delta at epsilon is known in closed form (Balle and Wang, arXiv 1805.06530, theorem 8)."""
    noise, delta = 4.0, 1e-5
    sigma = noise / math.sqrt(steps)

    def delta_at(epsilon: float) -> float:
        near, far = 1 / (2 * sigma) - epsilon * sigma, -1 / (2 * sigma) - epsilon * sigma
        return float(norm.cdf(near) - math.exp(epsilon) * norm.cdf(far))

    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_at(middle) > delta else (low, middle)
    prv, rdp = (told(profile(noise_multiplier=noise, accountant=name), 1.0, steps).epsilon for name in ("prv", "rdp"))
    assert low <= prv < low + 0.03
    assert prv < rdp < 1.25 * low


def test_epsilon_rises_with_steps_and_rate_and_falls_with_noise() -> None:
    less = told(profile(noise_multiplier=1.0), 0.1, 10).epsilon
    assert told(profile(noise_multiplier=1.0), 0.1, 11).epsilon > less
    assert told(profile(noise_multiplier=1.0), 0.11, 10).epsilon > less
    assert told(profile(noise_multiplier=1.1), 0.1, 10).epsilon < less
    assert told(profile(noise_multiplier=1.0), 0.1, 0).epsilon == 0


def test_without_noise_there_is_no_bound() -> None:
    assert spent(profile(noise_multiplier=0.0), 0.1, 10, "client") is None
    assert spent(profile(noise_multiplier=1e-200), 0.1, 10, "client") is None


def test_where_prv_would_take_minutes_the_record_names_who_told() -> None:
    found = told(profile(noise_multiplier=0.05, accountant="prv"), 0.1, 1000)
    assert found.accountant == "rdp"
    assert found.epsilon == by_opacus("rdp", 0.05, 0.1, 1000, 1e-5) > MOST_PRV_EPSILON


def test_a_round_on_a_fixed_number_of_clients_is_not_told_as_exact() -> None:
    found = spent(profile(), 0.1, 10, "client", exact=False)
    assert found is not None
    assert (found.unit, found.exact) == ("client", False)


def test_the_client_that_spent_most_is_told() -> None:
    shares = [(0.01, 300), (0.1, 100), (0.05, 90), (0.2, 10)]
    best = max(shares, key=lambda share: told(profile(), *share).epsilon)
    found = most_spent(profile(), shares, "sample")
    assert found is not None
    assert (found.sample_rate, found.steps) == best
    assert most_spent(profile(), [], "sample") is None
    assert most_spent(profile(noise_multiplier=0.0), shares, "sample") is None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3]), st.integers(1, 5)), min_size=1, max_size=8))
def test_only_shares_that_none_is_above_are_asked_for(shares: list[tuple[float, int]]) -> None:
    kept = foremost(shares)
    assert set(kept) <= set(shares)
    for rate, steps in shares:
        assert any(high >= rate and most >= steps for high, most in kept)
    for one in kept:
        assert not any(one != other and other[0] >= one[0] and other[1] >= one[1] for other in kept)


def test_a_client_of_less_than_a_batch_draws_all_it_has() -> None:
    assert (rate_of(160, 16), rate_of(16, 16), rate_of(3, 16)) == (0.1, 1.0, 1.0)


def test_the_log_of_this_program_stays_its_own() -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    opacus_module("utils.module_utils")
    assert (list(root.handlers), root.level) == (handlers, level)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UsageError, match=r"differential privacy needs Opacus, and there is no opacus\.absent; pip"):
        opacus_module("absent")
