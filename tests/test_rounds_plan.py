"""What a profile means for the rounds."""

from __future__ import annotations

import msgspec
import pytest
from round_facts import plan
from run_folders import experiment

from harness.profiles import DeviceProfile, EvaluateProfile, ServerSeconds, TrainSeconds
from harness.profiles.base import FleetKind
from harness.rounds.plan import BESIDE, RunPlan, disturbing, overlaps


@pytest.mark.parametrize(
    ("quorum", "clients", "needed"),
    [(0.5, 10, 5), (0.5, 5, 3), (1.0, 7, 7), (0.1, 30, 3), (0.55, 100, 55), (0.7, 10, 7), (0.01, 10, 1), (0.0, 4, 1)],
)
def test_a_quorum_is_rounded_up_and_at_least_one_client(quorum: float, clients: int, needed: int) -> None:
    assert plan(quorum=quorum, clients_per_round=clients).needed == needed


def test_a_quorum_is_of_the_updates_a_round_wants_whoever_is_chosen_beyond_them() -> None:
    rules = plan(quorum=0.5, clients_per_round=4, over_selection=3)
    assert (rules.chosen, rules.needed) == (7, 2)


def test_every_so_many_rounds_are_evaluated_and_the_last_one() -> None:
    sparse = plan(rounds=8, evaluate_every=3)
    assert [round for round in range(1, 9) if sparse.evaluates(round)] == [3, 6, 8]


def test_where_there_is_nothing_to_evaluate_no_round_is() -> None:
    null = plan(rounds=3, evaluated=False)
    assert not any(null.evaluates(round) for round in (1, 2, 3))


def test_a_plan_is_what_the_profile_says() -> None:
    profile = experiment(
        rounds={"over_selection": 2, "deadline_s": 90.0, "quorum": 0.75, "max_extensions": 2, "max_attempts": 5},
        agents={"count": 3, "join_timeout_s": 12.0},
        seeds={"cohort": 42},
        evaluate={"every": 4},
    )
    assert RunPlan.of(profile) == RunPlan(
        rounds=30,
        clients=40,
        clients_per_round=4,
        over_selection=2,
        cohort_seed=42,
        deadline_s=90.0,
        quorum=0.75,
        max_extensions=2,
        max_attempts=5,
        agents=3,
        join_timeout_s=12.0,
        evaluate_every=4,
        evaluated=True,
    )


def test_a_null_trainer_gives_nothing_to_evaluate() -> None:
    assert not RunPlan.of(experiment(train={"trainer": "null"})).evaluated


def test_to_central_all_clients_are_one() -> None:
    profile = experiment(
        rounds={"clients_per_round": 3, "over_selection": 0}, partition={"clients": 3}, agents={"count": 2}
    )
    plan = RunPlan.of(profile, "central")
    assert (plan.clients, plan.clients_per_round, plan.chosen, plan.agents) == (1, 1, 1, 1)
    assert RunPlan.of(profile, "fedlr") == RunPlan.of(profile)


TABLE, SERVER = (TrainSeconds(step_s=1.0),), ServerSeconds(aggregate_s=0.25)


@pytest.mark.parametrize(
    ("fleet", "device", "agents_here", "overlap"),
    [
        ("zeromq", DeviceProfile(name="d"), True, False),
        ("zeromq", DeviceProfile(name="d"), False, True),
        ("virtual", DeviceProfile(name="d"), True, False),
        ("virtual", DeviceProfile(name="d", seconds=TABLE), True, False),
        ("virtual", DeviceProfile(name="d", seconds=TABLE, server=SERVER), True, True),
        ("ray", DeviceProfile(name="d", seconds=TABLE, server=SERVER), False, True),
    ],
)
def test_evaluation_overlaps_where_it_makes_no_measured_seconds_longer(
    fleet: FleetKind, device: DeviceProfile, agents_here: bool, overlap: bool
) -> None:
    of = experiment(fleet=fleet, device=device)
    assert overlaps(of, agents_here=agents_here) == overlap
    for asked in ("always", "never"):
        said = msgspec.structs.replace(of, evaluate=EvaluateProfile(overlap=asked))
        assert overlaps(said, agents_here=agents_here) == (asked == "always")
        warning = BESIDE if asked == "always" and not overlap else None
        assert disturbing(said, agents_here=agents_here) == warning
    assert disturbing(of, agents_here=agents_here) is None
