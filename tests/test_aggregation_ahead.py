"""Values that are made ahead: in their order, a few at a time, and by nobody once they are not wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from harness.learning.aggregation.ahead import MOST_THREADS, made_ahead


def told(value: int, made: list[int]) -> Callable[[], int]:
    def make() -> int:
        made.append(value)
        return value

    return make


def test_they_come_in_their_order() -> None:
    made: list[int] = []
    assert list(made_ahead([told(value, made) for value in range(50)])) == list(range(50))
    assert sorted(made) == list(range(50))


def test_only_a_few_are_made_before_they_are_taken() -> None:
    made: list[int] = []
    values = made_ahead([told(value, made) for value in range(50)])
    assert next(values) == 0
    assert len(made) <= MOST_THREADS + 1
    values.close()


def test_a_single_one_is_made_by_the_caller() -> None:
    (thread,) = made_ahead([threading.get_ident])
    assert thread == threading.get_ident()
    assert list(made_ahead([])) == []


def test_who_closes_it_waits_for_those_at_work() -> None:
    before, made = threading.active_count(), list[int]()
    values = made_ahead([told(value, made) for value in range(50)])
    next(values)
    values.close()
    assert threading.active_count() == before
    assert len(made) <= MOST_THREADS + 1


def test_an_error_is_raised_in_its_turn() -> None:
    made: list[int] = []

    def broken() -> int:
        raise ValueError("the third is broken")

    values = made_ahead([told(0, made), told(1, made), broken, *(told(value, made) for value in range(9))])
    assert [next(values), next(values)] == [0, 1]
    with pytest.raises(ValueError, match="the third is broken"):
        next(values)
