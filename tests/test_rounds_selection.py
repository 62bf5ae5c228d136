"""Cohorts: who takes part depends on seed and round, and on nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rounds.selection import cohort, training_line


@given(st.integers(0, 2**32), st.integers(1, 1000), st.integers(1, 120), st.integers(1, 120))
def test_a_cohort_is_sorted_without_repetition_and_of_the_size_asked_for(
    seed: int, round: int, clients: int, per_round: int
) -> None:
    chosen = cohort(seed, round, clients, per_round)
    assert list(chosen) == sorted(set(chosen))
    assert len(chosen) == min(per_round, clients)
    assert set(chosen) <= set(range(clients))


def test_the_same_seed_and_round_choose_the_same_clients_on_every_machine() -> None:
    """Written down: another Python, or another version of this project, has to give these very cohorts."""
    assert cohort(0, 1, 100, 10) == (10, 13, 17, 28, 31, 50, 51, 69, 79, 97)
    assert cohort(0, 2, 100, 10) == (4, 18, 23, 26, 28, 57, 59, 66, 71, 73)
    assert cohort(7, 1, 40, 4) == (5, 33, 35, 39)


def test_rounds_and_seeds_choose_other_clients() -> None:
    assert len({cohort(0, round, 100, 10) for round in range(1, 51)}) == 50
    assert len({cohort(seed, 1, 100, 10) for seed in range(50)}) == 50


def test_a_larger_cohort_keeps_the_clients_of_a_smaller_one() -> None:
    assert set(cohort(3, 5, 100, 10)) < set(cohort(3, 5, 100, 20))


def test_everybody_takes_part_equally_often() -> None:
    """10 of 100 clients, 2,000 times: each is expected 200 times, with a standard deviation of 13.4."""
    counts = Counter(client for round in range(2000) for client in cohort(1, round, 100, 10))
    assert len(counts) == 100
    assert all(count == pytest.approx(200, abs=5 * 13.4) for count in counts.values())


def test_where_all_take_part_all_are_chosen() -> None:
    assert cohort(5, 3, 4, 4) == (0, 1, 2, 3)


def test_those_beyond_need_stand_behind_the_very_clients_of_a_round_without_them() -> None:
    line = training_line(3, 5, 100, per_round=10, chosen=13)
    assert line[:10] == cohort(3, 5, 100, 10)
    assert sorted(line) == list(cohort(3, 5, 100, 13))
    assert training_line(3, 5, 100, per_round=10, chosen=10) == cohort(3, 5, 100, 10)
