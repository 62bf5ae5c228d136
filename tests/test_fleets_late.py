"""Late updates are told of once, and only where there can be such a task."""

from __future__ import annotations

import pytest

from harness.fleets import late
from harness.fleets.late import LateUpdates
from harness.protocol.messages import TaskRef


def ref(round: int = 1, client: int = 3, attempt: int = 1) -> TaskRef:
    return TaskRef(round=round, client=client, attempt=attempt)


@pytest.fixture
def updates() -> LateUpdates:
    return LateUpdates(["3", "4"])


def test_a_late_update_is_news_once_for_each_task_and_agent(updates: LateUpdates) -> None:
    tasks = [("a", ref()), ("b", ref()), ("a", ref(attempt=2)), ("a", ref(client=4))]
    assert [updates.is_news(*task) for task in tasks] == [True] * 4
    assert [updates.is_news(*task) for task in tasks] == [False] * 4


def test_an_update_that_counted_is_not_late_however_often_it_is_said(updates: LateUpdates) -> None:
    updates.count("a", ref())
    assert updates.counted("a", ref())
    assert not updates.is_news("a", ref())
    assert updates.is_news("b", ref())


@pytest.mark.parametrize("made_up", [ref(client=5), ref(client=-3), ref(round=0), ref(attempt=0)])
def test_a_task_that_cannot_be_is_no_news(updates: LateUpdates, made_up: TaskRef) -> None:
    assert not updates.is_news("a", made_up)


def test_made_up_tasks_are_told_of_only_so_often(updates: LateUpdates) -> None:
    told = sum(updates.is_news("a", ref(round=number)) for number in range(1, late.MOST_TOLD + 100))
    assert told == late.MOST_TOLD
