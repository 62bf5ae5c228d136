"""An update counts once, in its own round, in time."""

from __future__ import annotations

import pytest
from round_facts import Run, every, only, plan

from harness.rounds.commands import (
    Abort,
    Aggregate,
    AssignTask,
    CancelTask,
    SetDeadline,
    WriteClient,
)


@pytest.fixture
def run() -> Run:
    """Two agents train two of the four clients of round 1."""
    run = Run()
    run.begins("a", "b")
    return run


# Updates that are late, twice, foreign


def test_a_duplicate_update_is_ignored(run: Run) -> None:
    client = run.client_of("a")
    run.sends("a")
    assert run.sends("a", client) == run.sends("b", client) == []
    assert run.machine.completed == (client,)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_an_update_of_another_round_is_ignored(run: Run, number: int) -> None:
    run.trains()
    run.aggregates()
    run.evaluates()
    assert run.machine.round == 2
    assert run.sends("a", round=number) == []
    assert run.machine.completed == ()


def test_an_update_of_a_client_that_was_not_chosen_is_ignored(run: Run) -> None:
    stranger = next(client for client in range(10) if client not in run.machine.selected)
    assert run.sends("a", stranger) == []


def test_a_late_update_of_a_dropped_client_is_ignored() -> None:
    run = Run(plan(max_attempts=1))
    run.begins("a", "b")
    client = run.client_of("a")
    run.fails("a")
    assert run.sends("a", client) == []
    assert [failure.client for failure in run.machine.dropped] == [client]


def test_a_late_update_is_ignored_while_its_round_is_aggregated_and_evaluated() -> None:
    run = Run()
    run.begins("a", "b")
    run.sends("a")
    run.sends("b")
    missing = tuple(run.machine.running)
    run.passes(run.deadline("round"))
    assert run.machine.phase == "aggregating"
    assert run.sends("a", missing[0]) == []
    run.aggregates()
    assert run.sends("b", missing[1]) == []


def test_an_update_of_an_agent_that_counted_as_lost_is_taken_and_its_successor_stopped(run: Run) -> None:
    client = run.client_of("a")
    run.loses("a")
    run.sends("b")
    assert run.client_of("b") == client
    cancel, written, task = run.sends("a", client)
    assert cancel == CancelTask(agent="b", round=1, client=client, attempt=2)
    assert isinstance(written, WriteClient)
    assert (written.record.agent, written.record.attempt) == ("a", 1)
    assert isinstance(task, AssignTask)
    assert task.agent == "b"


def test_an_update_of_a_waiting_client_is_taken_and_it_is_not_trained(run: Run) -> None:
    client = run.machine.waiting[0]
    (written,) = run.sends("z", client)
    assert isinstance(written, WriteClient)
    assert client not in run.machine.waiting


def test_any_order_of_arrival_gives_the_same_order_of_updates() -> None:
    run, other = Run(), Run()
    run.begins("a", "b")
    other.begins("a", "b")
    one = only(Aggregate, run.trains())
    while other.machine.phase == "training":
        last = other.sends(list(other.machine.running.values())[-1])
    assert only(Aggregate, last) == one
    assert run.machine.completed != other.machine.completed


# Deadlines


def test_a_deadline_with_a_quorum_drops_the_rest(run: Run) -> None:
    run.sends("a")
    run.sends("b")
    running = run.machine.running
    commands = run.passes(run.deadline("round"))
    assert {(order.agent, order.client) for order in every(CancelTask, commands)} == {
        (agent, client) for client, agent in running.items()
    }
    assert len(only(Aggregate, commands).updates) == 2
    assert [failure.reason for failure in run.machine.dropped] == ["deadline of 60 s passed"] * 2
    assert run.machine.idle == ("a", "b")


def test_a_client_that_no_agent_had_is_dropped_without_an_agents_name(run: Run) -> None:
    run.sends("a")
    run.sends("a")
    run.loses("b")
    run.passes(run.deadline("round"))
    assert {failure.agent for failure in run.machine.dropped} == {"a", ""}


def test_a_deadline_without_a_quorum_is_given_again_and_then_ends_the_run(run: Run) -> None:
    run.sends("a")
    again = SetDeadline(kind="round", round=1, number=2, seconds=60.0)
    assert run.passes(run.deadline("round")) == [again]
    abort = only(Abort, run.passes(again))
    assert "round 1 got updates of 1 of its 4 clients" in abort.reason
    assert "60 s, given 2 times" in abort.reason


def test_a_deadline_that_a_newer_one_replaced_changes_nothing(run: Run) -> None:
    first = run.deadline("round")
    run.passes(first)
    assert run.passes(first) == []
    assert run.machine.phase == "training"


def test_a_deadline_of_a_closed_round_changes_nothing(run: Run) -> None:
    first = run.deadline("round")
    run.trains()
    assert run.passes(first) == []
    run.aggregates()
    run.evaluates()
    run.sends("a")
    run.sends("b")
    assert run.passes(first) == []
    assert run.machine.phase == "training"


def test_each_round_may_extend_its_deadline_anew(run: Run) -> None:
    run.passes(run.deadline("round"))
    run.trains()
    run.aggregates()
    run.evaluates()
    assert run.passes(run.deadline("round")) == [SetDeadline(kind="round", round=2, number=2, seconds=60.0)]
