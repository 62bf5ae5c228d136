"""What privacy a run spends: of which client, over which rounds, and what the accountant is asked."""

from __future__ import annotations

import math

import msgspec
import pytest
from opacus.accountants import RDPAccountant
from run_folders import client_record, experiment

from harness.profiles import PrivacyProfile
from harness.rounds.plan import RunPlan
from harness.spending import shares, spent_until

PLAN = RunPlan.of(experiment(rounds={"clients_per_round": 3}, partition={"clients": 4}))
SAMPLES = PrivacyProfile(kind="dp-sgd", noise_multiplier=1.1, clip=0.5)
CLIENTS = PrivacyProfile(kind="server", noise_multiplier=2.0)


def update(round: int, client: int, samples: int, steps: int):
    return client_record(round, client, samples=samples, steps=steps)


UPDATES = [update(1, 0, 160, 10), update(1, 1, 40, 3), update(2, 1, 40, 3), update(3, 1, 40, 3)]


def opacus(noise_multiplier: float, rate: float, steps: int) -> float:
    accountant = RDPAccountant()
    for _ in range(steps):
        accountant.step(noise_multiplier=noise_multiplier, sample_rate=rate)
    return float(accountant.get_epsilon(delta=1e-5))


def test_a_client_spends_in_the_rounds_that_it_takes_part_in() -> None:
    assert shares(UPDATES, 1, 16) == [(0.1, 10), (0.4, 3)]
    assert shares(UPDATES, 3, 16) == [(0.1, 10), (0.4, 9)]
    assert shares([update(1, 0, 10, 1)], 1, 16) == [(1.0, 1)]


def test_of_the_clients_the_one_that_spent_most_is_told() -> None:
    spent = spent_until(2, SAMPLES, PLAN, 16, UPDATES)
    assert spent is not None
    assert (spent.unit, spent.sample_rate, spent.steps, spent.exact) == ("sample", 0.4, 6, True)
    assert spent.epsilon == pytest.approx(opacus(1.1, 0.4, 6), rel=1e-12)
    assert (spent.noise_multiplier, spent.clip, spent.delta) == (1.1, 0.5, 1e-5)


def test_at_the_server_a_round_is_a_step_on_a_share_of_the_clients() -> None:
    spent = spent_until(5, CLIENTS, PLAN, 16, [])
    assert spent is not None
    assert (spent.unit, spent.sample_rate, spent.steps, spent.exact) == ("client", 0.75, 5, False)
    assert spent.epsilon == pytest.approx(opacus(2.0, 0.75, 5), rel=1e-12)


def test_a_client_drawn_beyond_need_may_be_aggregated_whenever_it_is_drawn() -> None:
    """Three of four are needed and all are drawn: the fastest is in every round."""
    spent = spent_until(5, CLIENTS, msgspec.structs.replace(PLAN, over_selection=1), 16, [])
    assert spent is not None
    assert (spent.sample_rate, spent.exact) == (1.0, False)
    assert spent.epsilon == pytest.approx(opacus(2.0, 1.0, 5), rel=1e-12)


def test_where_all_clients_take_part_the_accountant_knows_how_they_are_drawn() -> None:
    spent = spent_until(5, CLIENTS, msgspec.structs.replace(PLAN, clients=3), 16, [])
    assert spent is not None
    assert spent.exact
    assert math.isfinite(spent.epsilon)


def test_nothing_is_told_without_privacy() -> None:
    assert spent_until(1, PrivacyProfile(), PLAN, 16, UPDATES) is None
