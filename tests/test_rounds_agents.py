"""Agents come and go and fail, and the clients they trained are tried again or dropped."""

from __future__ import annotations

import pytest
from round_facts import Run, every, only, plan, tasks

from harness.records import Failure
from harness.rounds.commands import (
    Abort,
    Aggregate,
    AssignTask,
    SetDeadline,
    WriteRound,
)


@pytest.fixture
def run() -> Run:
    """Two agents train two of the four clients of round 1."""
    run = Run()
    run.begins("a", "b")
    return run


# Agents that come and go


def test_a_lost_agents_client_goes_to_another_agent_before_those_that_wait(run: Run) -> None:
    client = run.client_of("a")
    assert run.loses("a") == []
    assert run.machine.waiting[0] == client
    (task,) = every(AssignTask, run.sends("b"))
    assert (task.agent, task.client, task.attempt) == ("b", client, 2)


def test_a_lost_agents_client_goes_to_an_idle_agent_at_once(run: Run) -> None:
    run.sends("a")
    run.sends("a")
    run.sends("a")
    client = run.client_of("b")
    assert tasks(run.loses("b")) == {"a": client}


def test_a_client_that_was_tried_often_enough_is_dropped_with_its_reason(run: Run) -> None:
    client = run.client_of("a")
    run.loses("a")
    run.sends("b")
    run.loses("b", "it left: power saving")
    failure = Failure(client=client, agent="b", reason="agent lost: it left: power saving")
    assert run.machine.dropped == (failure,)
    run.joins("c")
    run.trains()
    run.aggregates()
    record = only(WriteRound, run.evaluates()).record
    assert record.failed == (failure,)
    assert sorted((*record.completed, client)) == list(record.selected)


def test_an_agent_that_joins_in_the_middle_of_a_round_takes_part(run: Run) -> None:
    waiting = run.machine.waiting
    assert tasks(run.joins("c")) == {"c": waiting[0]}


def test_an_agent_that_joins_again_has_lost_its_task(run: Run) -> None:
    client = run.client_of("a")
    (task,) = every(AssignTask, run.joins("a"))
    assert (task.agent, task.client, task.attempt) == ("a", client, 2)


def test_a_rejoin_that_settles_the_round_leaves_the_agent_for_the_next_one() -> None:
    run = Run(plan(agents=1, clients_per_round=2, max_attempts=1))
    run.begins("a")
    run.sends("a")
    only(Aggregate, run.joins("a"))
    run.aggregates()
    assert list(tasks(run.evaluates())) == ["a"]


def test_a_rejoin_that_ends_the_run_is_answered_with_its_end_alone() -> None:
    run = Run(plan(agents=1, clients_per_round=1, max_attempts=1))
    run.begins("a")
    (abort,) = run.joins("a")
    assert isinstance(abort, Abort)
    assert "agent lost: it joined again (1 x)" in abort.reason


def test_the_loss_of_a_stranger_changes_nothing(run: Run) -> None:
    assert run.loses("z") == []


def test_an_agent_that_leaves_while_the_round_is_aggregated_gets_nothing_in_the_next(run: Run) -> None:
    run.trains()
    assert run.loses("b") == []
    run.aggregates()
    assert list(tasks(run.evaluates())) == ["a"]


def test_when_all_agents_are_gone_they_are_awaited(run: Run) -> None:
    run.loses("a")
    assert run.loses("b") == [SetDeadline(kind="agents", round=1, number=1, seconds=30.0)]
    assert len(run.machine.waiting) == 4
    assert len(tasks(run.joins("c"))) == 1
    assert run.passes(run.deadline("agents")) == []


def test_a_run_whose_agents_do_not_come_back_is_given_up(run: Run) -> None:
    run.loses("a")
    run.loses("b")
    abort = only(Abort, run.passes(run.deadline("agents")))
    assert not abort.no_agents
    assert "round 1 has no agent: none came within 30 s" in abort.reason


def test_a_round_that_opens_without_agents_awaits_them(run: Run) -> None:
    run.trains()
    run.aggregates()
    run.loses("a")
    run.loses("b")
    kinds = [order.kind for order in every(SetDeadline, run.evaluates())]
    assert kinds == ["round", "agents"]


# Failed tasks


def test_a_failed_client_goes_to_another_agent(run: Run) -> None:
    client, waiting = run.client_of("a"), run.machine.waiting
    assert tasks(run.fails("a")) == {"a": waiting[0]}
    (task,) = every(AssignTask, run.sends("b"))
    assert (task.agent, task.client, task.attempt) == ("b", client, 2)


def test_a_failed_client_stays_with_its_agent_where_there_is_no_other() -> None:
    run = Run(plan(agents=1))
    run.begins("a")
    client = run.client_of("a")
    assert tasks(run.fails("a")) == {"a": client}


def test_a_failed_client_waits_for_another_agent_but_not_for_one_that_is_gone() -> None:
    run = Run(plan(clients_per_round=2))
    run.begins("a", "b")
    client, other = run.client_of("a"), run.client_of("b")
    assert run.fails("a") == []
    assert (run.machine.idle, run.machine.waiting) == (("a",), (client,))
    assert tasks(run.loses("b")) == {"a": other}
    assert tasks(run.sends("a")) == {"a": client}


def test_a_client_that_fails_everywhere_is_dropped_with_the_last_reason(run: Run) -> None:
    client = run.client_of("a")
    run.fails("a", "the trainer died: signal 9")
    run.sends("b")
    run.fails("b", "the trainer died: signal 11")
    assert run.machine.dropped == (Failure(client=client, agent="b", reason="the trainer died: signal 11"),)


def test_a_run_without_a_quorum_is_given_up_and_says_why() -> None:
    run = Run(plan(agents=1, clients_per_round=2, quorum=1.0, max_attempts=1))
    run.begins("a")
    run.sends("a")
    abort = only(Abort, run.fails("a"))
    assert "round 1 got updates of 1 of its 2 clients, the quorum is 2" in abort.reason
    assert "out of memory (1 x)" in abort.reason
    assert run.machine.over


@pytest.mark.parametrize("changes", [{"attempt": 2}, {"round": 2}, {"client": 999}], ids=str)
def test_a_failure_of_another_task_than_the_present_one_changes_nothing(run: Run, changes: dict[str, int]) -> None:
    running = run.machine.running
    assert run.fails("a", **changes) == []
    assert run.machine.running == running
