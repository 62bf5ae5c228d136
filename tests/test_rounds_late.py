"""An update that nobody waits for is noted once, with the reason, in the round in which it came."""

from __future__ import annotations

import pytest
from round_facts import Run, only, plan

from harness.records import Late
from harness.rounds.commands import WriteRound


@pytest.fixture
def run() -> Run:
    """Two agents train two of the four clients of round 1."""
    run = Run()
    run.begins("a", "b")
    return run


def closes(run: Run) -> tuple[Late, ...]:
    """The round goes to its end; what its record says of late updates."""
    run.trains()
    run.aggregates()
    return only(WriteRound, run.evaluates()).record.late


def test_an_update_of_a_closed_round_is_noted_in_the_open_one(run: Run) -> None:
    assert closes(run) == ()
    assert run.comes_late("c", 1, 5, attempt=2) == []
    assert closes(run) == (Late(round=1, client=5, agent="c", attempt=2, why="its round was closed"),)


def test_it_is_noted_once_however_often_and_by_whichever_way_it_is_told(run: Run) -> None:
    closes(run)
    client = run.machine.records[0].completed[0]
    for _ in range(2):
        run.comes_late("c", 1, client)
        run.sends("c", client, round=1)
    assert len(closes(run)) == 1


def test_another_round_another_client_another_agent_and_another_attempt_are_other_updates(run: Run) -> None:
    closes(run)
    for agent, client, attempt in (("c", 1, 1), ("d", 1, 1), ("c", 2, 1), ("c", 1, 2)):
        run.comes_late(agent, 1, client, attempt)
    assert len(closes(run)) == 4


def test_a_repetition_of_an_accepted_update_is_not_late(run: Run) -> None:
    client = run.client_of("a")
    run.sends("a")
    run.sends("a", client)
    run.comes_late("a", 1, client)
    assert closes(run) == ()
    run.sends("a", client, round=1)
    run.resumes()
    run.joins("a")
    assert closes(run) == ()


def test_the_update_of_an_agent_whose_client_another_one_trained(run: Run) -> None:
    client = run.client_of("a")
    run.loses("a")
    run.sends("b")  # it is given the client of a
    run.sends("b")
    run.sends("a", client)
    assert [late.why for late in closes(run)] == ["the update of b counted"]


def test_another_attempt_of_the_same_agent(run: Run) -> None:
    client = run.client_of("a")
    run.sends("a")
    run.sends("a", client, attempt=2)
    assert [late.why for late in closes(run)] == ["its update of attempt 1 counted"]


def test_the_update_of_a_client_that_the_deadline_dropped() -> None:
    run = Run()
    run.begins("a", "b", "c")
    slow = run.client_of("c")
    run.sends("a")
    run.sends("b")
    run.passes(run.deadline("round"))
    run.comes_late("c", 1, slow)
    assert [late.why for late in closes(run)] == ["its client was dropped: deadline of 60 s passed"]


def test_an_offer_for_a_client_that_was_given_to_somebody_else(run: Run) -> None:
    client = run.client_of("a")
    run.loses("a")
    run.comes_late("a", 1, client)
    run.sends("b")
    run.comes_late("z", 1, client)
    assert [late.why for late in closes(run)] == [
        "its client was to be trained again",
        "its client was given to b",
    ]


@pytest.mark.parametrize(("number", "client"), [(3, None), (1, 77)])
def test_what_nobody_had_asked_for(run: Run, number: int, client: int | None) -> None:
    run.comes_late("z", number, run.client_of("a") if client is None else client)
    assert [late.why for late in closes(run)] == ["nobody had asked for it"]


def test_after_the_last_round_nothing_is_noted_any_more() -> None:
    run = Run(plan(rounds=1))
    run.begins("a", "b")
    closes(run)
    assert run.comes_late("a", 1, 5) == []
    assert run.machine.records[0].late == ()


def test_before_the_first_round_nothing_is_late() -> None:
    run = Run()
    run.opens()
    assert run.comes_late("a", 1, 5) == []
