"""The learning rate across rounds: up, then level or down, never to nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.learning.schedule import lr_factor
from harness.profiles import TrainProfile


def factors(rounds: int, **keys: object) -> list[float]:
    train = TrainProfile(**keys)  # type: ignore[arg-type]
    return [lr_factor(train, round, rounds) for round in range(1, rounds + 1)]


def test_without_a_schedule_every_round_has_the_method_s_lr() -> None:
    assert factors(4) == [1.0, 1.0, 1.0, 1.0]


def test_a_warm_up_rises_in_equal_steps_to_the_full_lr() -> None:
    assert factors(5, warm_up_rounds=3) == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_linear_decay_falls_in_equal_steps_and_still_learns_in_the_last_round() -> None:
    assert factors(5, schedule="linear", warm_up_rounds=1) == [0.5, 1.0, 0.75, 0.5, 0.25]


def test_cosine_decay_is_slow_at_both_ends() -> None:
    assert factors(4, schedule="cosine") == pytest.approx([1.0, 0.853553, 0.5, 0.146447], abs=1e-6)


@given(
    rounds=st.integers(1, 300),
    warm_up=st.integers(0, 400),
    schedule=st.sampled_from(["constant", "linear", "cosine"]),
)
def test_no_round_is_without_a_learning_rate(rounds: int, warm_up: int, schedule: str) -> None:
    found = factors(rounds, schedule=schedule, warm_up_rounds=warm_up)
    assert all(0 < factor <= 1 for factor in found)
    assert found[:warm_up] == sorted(found[:warm_up])
    assert found[warm_up:] == sorted(found[warm_up:], reverse=True)
