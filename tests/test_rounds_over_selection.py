"""More clients are chosen than a round needs: the first updates count, and nobody waits for the rest."""

from __future__ import annotations

import pytest
from round_facts import Run, every, only, plan, tasks

from harness.rounds.commands import Abort, Aggregate, CancelTask, StartRun, WriteRound


@pytest.fixture
def run() -> Run:
    """Four agents train the two wanted clients of round 1 and two more."""
    run = Run(plan(clients_per_round=2, over_selection=2, agents=4))
    run.begins("a", "b", "c", "d")
    return run


def test_the_first_updates_end_the_round_and_the_others_are_stopped_and_spare(run: Run) -> None:
    slow = {run.client_of("a"), run.client_of("c")}
    run.sends("d")
    commands = run.sends("b")
    assert {order.agent for order in every(CancelTask, commands)} == {"a", "c"}
    assert len(only(Aggregate, commands).updates) == 2
    assert set(run.machine.spare) == slow
    assert (run.machine.running, run.machine.dropped) == ({}, ())


def test_spare_clients_stand_in_the_record_and_failed_in_nothing(run: Run) -> None:
    spare = tuple(sorted((run.client_of("a"), run.client_of("c"))))
    run.sends("d")
    run.sends("b")
    run.aggregates()
    record = only(WriteRound, run.evaluates()).record
    assert (record.spare, record.failed) == (spare, ())
    assert sorted((*record.completed, *record.spare)) == list(record.selected)
    assert run.machine.spare == ()


def test_a_client_that_nobody_had_begun_is_spare_too() -> None:
    run = Run(plan(clients_per_round=2, over_selection=2, agents=1))
    run.begins("a")
    run.sends("a")
    commands = run.sends("a")
    assert every(CancelTask, commands) == []
    assert len(run.machine.spare) == 2


def test_a_failed_client_is_made_up_for_by_one_beyond_need() -> None:
    run = Run(plan(clients_per_round=2, over_selection=1, agents=1, max_attempts=1))
    run.begins("a")
    run.fails("a")
    run.sends("a")
    assert run.machine.phase == "training"
    assert len(only(Aggregate, run.sends("a")).updates) == 2
    assert (len(run.machine.dropped), run.machine.spare) == (1, ())


def test_the_update_of_a_spare_client_comes_too_late(run: Run) -> None:
    client = run.client_of("a")
    run.sends("d")
    run.sends("b")
    assert run.sends("a", client) == []
    run.aggregates()
    (late,) = only(WriteRound, run.evaluates()).record.late
    assert (late.client, late.why) == (client, "enough other clients were faster (over-selection)")


def test_a_quorum_counts_of_the_updates_that_are_wanted(run: Run) -> None:
    run.sends("a")
    assert len(only(Aggregate, run.passes(run.deadline("round"))).updates) == 1
    assert len(run.machine.dropped) == 3


def test_without_a_quorum_of_those_chosen_the_run_is_given_up() -> None:
    run = Run(plan(clients_per_round=2, over_selection=1, quorum=1.0, agents=1, max_attempts=1))
    run.begins("a")
    run.fails("a")
    run.fails("a")
    assert "updates of 1 of its 3 clients, the quorum is 2" in only(Abort, run.sends("a")).reason


def test_an_agent_for_each_chosen_client_makes_the_walls_clock_speak() -> None:
    few, enough = (Run(plan(clients_per_round=2, over_selection=1, agents=agents)) for agents in (2, 3))
    assert only(StartRun, few.begins("a", "b")).clock == "critical path"
    assert only(StartRun, enough.begins("a", "b", "c")).clock == "wall"


def test_the_clients_of_a_round_without_over_selection_are_begun_first() -> None:
    without = Run(plan(clients_per_round=2, agents=2))
    run = Run(plan(clients_per_round=2, over_selection=2, agents=2))
    assert tasks(run.begins("a", "b")) == tasks(without.begins("a", "b"))


def test_an_update_lost_after_the_round_was_settled_is_the_only_one_trained_again(run: Run) -> None:
    run.sends("d")
    run.sends("b")
    lost, spare = run.machine.completed[0], run.machine.spare
    run.loses_update(lost)
    run.resumes()
    assert (run.machine.phase, run.machine.waiting, run.machine.spare) == ("training", (lost,), spare)
    run.joins("e")
    assert len(only(Aggregate, run.sends("e")).updates) == 2
