"""From the recorded events to the machine that a killed controller was."""

from __future__ import annotations

import msgspec
import pytest
from round_facts import PLAN, Run

from harness.rounds import events as e
from harness.rounds.commands import AssignTask
from harness.rounds.replay import replay, written


def eventful() -> Run:
    """A run in which all kinds of events happen."""
    run = Run()
    run.begins("a", "b")
    run.fails("a")
    run.loses("b")
    run.joins("b")
    run.passes(run.deadline("round"))
    run.trains()
    run.aggregates()
    run.evaluates()
    run.sends("a")
    assert run.breaks("b") == []
    run.comes_late("b", 1, 2)
    run.loses_update(run.machine.completed[0])
    run.resumes()
    run.joins("a")
    run.trains()
    run.aggregates()
    run.evaluates()
    return run


def kinds() -> set[type]:
    return {type(event) for event in eventful().events}


def test_the_story_has_all_kinds_of_events() -> None:
    assert kinds() == set(e.Event.__subclasses__())


def test_the_same_events_give_the_same_commands() -> None:
    run = eventful()
    machine, commands = replay(PLAN, run.events)
    assert commands == run.commands
    assert list(machine.records) == list(run.machine.records)
    assert machine.phase == "finished"


def test_events_come_back_from_their_lines_as_they_were() -> None:
    events = eventful().events
    lines = msgspec.json.Encoder().encode_lines(events).splitlines()
    assert msgspec.json.decode(lines[0])["event"] == "run-opened"
    assert [msgspec.json.decode(line, type=e.AnyEvent) for line in lines] == events


@pytest.mark.parametrize("killed_after", range(len(eventful().events) + 1))
def test_killed_after_any_event_a_new_controller_goes_on(killed_after: int) -> None:
    """Whatever the old one was about to do at that event, the new one orders it, and the run ends."""
    told = eventful().events[:killed_after]
    machine, _ = replay(PLAN, told)
    run = Run()
    run.machine, run.events, run.now_s = machine, list(told), float(killed_after)
    run.resumes() if machine.opened else run.opens()
    for agent in ("c", "d"):
        run.joins(agent)
    while not machine.over:
        run.trains()
        run.aggregates()
        run.evaluates()
    assert machine.phase == "finished"
    assert [record.round for record in machine.records] == [1, 2]


def test_what_follows_from_the_events_can_be_written_anew() -> None:
    run = eventful()
    _, commands = replay(PLAN, run.events)
    clients, rounds = written(commands)
    assert rounds == list(run.machine.records)
    told = [(record.round, record.client) for record in clients]
    assert sorted(told) == [(record.round, client) for record in rounds for client in record.completed]


def test_an_update_that_was_lost_and_not_trained_again_has_no_line() -> None:
    run = Run()
    run.begins("a", "b")
    run.sends("a")
    run.sends("a")
    lost, kept = run.machine.completed
    run.loses_update(lost)
    assert [record.client for record in written(run.commands)[0]] == [kept]


def test_nothing_recorded_is_a_run_that_was_not_opened() -> None:
    machine, commands = replay(PLAN, [])
    assert commands == []
    assert not machine.opened


def test_a_replayed_round_trains_from_the_newest_state() -> None:
    run = Run()
    run.begins("a", "b")
    run.trains()
    run.aggregates()
    run.evaluates()
    machine, _ = replay(PLAN, run.events)
    run.machine = machine
    run.resumes()
    (task,) = (order for order in run.joins("a") if isinstance(order, AssignTask))
    assert (task.round, task.state_sha256) == (2, f"{1:064x}")
