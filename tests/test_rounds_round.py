"""One round's clients: each in exactly one place."""

from __future__ import annotations

import pytest
from run_folders import client_record

from harness.records import ClientRecord, Failure
from harness.rounds.commands import CancelTask
from harness.rounds.round import Round


@pytest.fixture
def round() -> Round:
    """Clients 1 to 4; agent a trains 1, b trains 2."""
    round = Round(7, (1, 2, 3, 4), opened_at_s=10.0)
    round.start(1, "a")
    round.start(2, "b")
    return round


def update(client: int, agent: str = "a", attempt: int = 1) -> ClientRecord:
    return client_record(7, client, agent=agent, attempt=attempt)


def test_clients_wait_run_and_are_completed(round: Round) -> None:
    assert (round.waiting, round.running) == ([3, 4], {1: "a", 2: "b"})
    assert round.accept(update(1)) == []
    assert (round.running, list(round.completed)) == ({2: "b"}, [1])
    assert not round.settled
    round.validate()


def test_an_agent_is_asked_for_by_its_client_and_a_client_by_its_agent(round: Round) -> None:
    assert (round.task_of("a"), round.task_of("z")) == (1, None)
    assert round.runs(1, "a", 1)
    assert not round.runs(1, "b", 1)
    assert not round.runs(1, "a", 2)
    assert not round.runs(9, "a", 1)


def test_a_failed_client_is_first_in_line_and_kept_from_the_agent_it_failed_on(round: Round) -> None:
    round.fail(2, "out of memory", 3, avoid=True)
    assert round.waiting == [2, 3, 4]
    assert round.next_for("b", ["a", "b"]) == 3
    assert round.next_for("a", ["a", "b"]) == 2
    assert round.next_for("b", ["b"]) == 2


def test_a_client_that_failed_on_all_who_are_here_is_nobodys_to_refuse(round: Round) -> None:
    round.fail(2, "out of memory", 5, avoid=True)
    round.start(2, "a")
    round.fail(2, "out of memory", 5, avoid=True)
    assert round.next_for("b", ["a", "b"]) == 2
    assert round.next_for("b", ["a", "b", "c"]) == 3


def test_a_lost_agents_client_may_go_to_any_agent(round: Round) -> None:
    round.fail(2, "agent lost", 3, avoid=False)
    assert round.next_for("b", ["a", "b"]) == 2


def test_the_last_attempt_leaves_a_client_dropped_with_its_agent_and_reason(round: Round) -> None:
    round.fail(2, "first", 2, avoid=False)
    round.start(2, "a2")
    round.fail(2, "second", 2, avoid=False)
    assert round.failures() == (Failure(client=2, agent="a2", reason="second"),)
    assert not round.awaits(2)
    round.validate()


def test_the_update_of_another_attempt_stops_the_one_under_way(round: Round) -> None:
    round.fail(1, "agent lost", 3, avoid=False)
    round.start(1, "c")
    assert round.accept(update(1)) == [CancelTask(agent="c", round=7, client=1, attempt=2)]


def test_going_on_drops_who_runs_and_who_waits(round: Round) -> None:
    round.accept(update(1))
    assert round.drop_rest("too late") == [CancelTask(agent="b", round=7, client=2, attempt=1)]
    assert [(failure.client, failure.agent) for failure in round.failures()] == [(2, "b"), (3, ""), (4, "")]
    assert round.settled
    round.validate()


def test_enough_updates_leave_the_others_spare_and_stop_those_that_run() -> None:
    round = Round(7, (2, 3, 1, 4), opened_at_s=10.0, wanted=2)
    assert round.selected == (1, 2, 3, 4)
    for client, agent in ((2, "b"), (3, "c"), (1, "a")):
        round.start(client, agent)
    round.accept(update(1))
    assert not round.enough
    round.accept(update(3, "c"))
    assert round.enough
    assert round.spare_rest() == [CancelTask(agent="b", round=7, client=2, attempt=1)]
    assert (round.spare, round.dropped, round.settled) == ({2, 4}, {}, True)
    assert not round.awaits(2)
    round.validate()


def test_a_client_whose_update_is_lost_is_the_first_to_be_trained_again_at_the_same_attempt(round: Round) -> None:
    round.accept(update(1))
    round.lose(1)
    assert (round.waiting, round.attempts[1]) == ([1, 3, 4], 1)
    round.validate()


def test_a_new_controller_keeps_the_line_those_beyond_need_stand_last() -> None:
    round = Round(7, (5, 9, 1), opened_at_s=0.0, wanted=2)
    for client, agent in ((5, "a"), (9, "b"), (1, "c")):
        round.start(client, agent)
    round.recall()
    assert round.waiting == [5, 9, 1]


def test_a_new_controller_has_what_ran_trained_first_and_as_the_same_attempt(round: Round) -> None:
    round.recall()
    assert (round.waiting, round.running) == ([1, 2, 3, 4], {})
    assert set(round.attempts.values()) == {1}


def test_dropped_clients_may_wait_again_as_if_never_tried(round: Round) -> None:
    round.fail(2, "out of memory", 1, avoid=True)
    round.reprieve()
    assert (round.waiting, round.dropped, round.attempts[2]) == ([3, 4, 2], {}, 1)
    round.fail(1, "out of memory", 2, avoid=True)
    round.reprieve()
    assert (round.attempts[1], round.next_for("a", ["a", "b"])) == (1, 1)


def test_failures_are_listed_in_client_order(round: Round) -> None:
    for client in (2, 1):
        round.fail(client, "out of memory", 1, avoid=True)
    assert [failure.client for failure in round.failures()] == [1, 2]


def test_updates_are_given_in_client_order(round: Round) -> None:
    for client in (2, 1):
        round.accept(update(client))
    assert [ref.client for ref in round.updates()] == [1, 2]
    assert list(round.completed) == [2, 1]


def test_a_client_in_two_places_is_found(round: Round) -> None:
    round.waiting.append(1)
    with pytest.raises(AssertionError, match="round 7"):
        round.validate()
