"""What a profile means for the rounds."""

from __future__ import annotations

import pytest
from round_facts import plan
from run_folders import experiment

from harness.rounds.plan import RunPlan


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
