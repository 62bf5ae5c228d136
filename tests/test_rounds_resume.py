"""A new controller takes up what the old one had under way, also where it had given up."""

from __future__ import annotations

import pytest
from round_facts import INITIAL, Run, every, only, plan

from harness.rounds.commands import (
    Abort,
    Aggregate,
    AssignTask,
    Evaluate,
    Finish,
    ForgetClient,
    SetDeadline,
    StartRun,
    WriteRound,
)


@pytest.fixture
def run() -> Run:
    """Two agents train two of the four clients of round 1."""
    run = Run()
    run.begins("a", "b")
    return run


def test_a_resumed_run_that_waited_for_agents_waits_again() -> None:
    run = Run()
    run.begins("a")
    assert run.resumes() == [SetDeadline(kind="agents", round=0, number=2, seconds=30.0)]
    assert run.machine.agents == ()
    assert run.joins("b") == []


def test_a_resumed_round_keeps_its_updates_and_trains_what_ran_first(run: Run) -> None:
    run.sends("a")
    running, waiting = run.machine.running, run.machine.waiting
    assert run.resumes() == [
        SetDeadline(kind="agents", round=1, number=1, seconds=30.0),
        SetDeadline(kind="round", round=1, number=2, seconds=60.0),
    ]
    assert run.machine.waiting == (*sorted(running), *waiting)
    assert len(run.machine.completed) == 1
    (task,) = every(AssignTask, run.joins("a"))
    assert (task.client, task.attempt) == (min(running), 1)
    assert len(only(Aggregate, run.trains()).updates) == 4


def test_a_resumed_aggregation_is_ordered_again(run: Run) -> None:
    aggregate = only(Aggregate, run.trains())
    assert run.resumes() == [aggregate]


def test_a_resumed_evaluation_is_ordered_again(run: Run) -> None:
    run.trains()
    evaluate = only(Evaluate, run.aggregates())
    assert run.resumes() == [evaluate]
    assert only(WriteRound, run.evaluates()).record.round == 1


def test_a_finished_run_is_finished_again_and_nothing_else() -> None:
    run = Run(plan(rounds=1))
    run.begins("a", "b")
    run.trains()
    run.aggregates()
    run.evaluates()
    assert run.joins("c") == run.sends("a", 1) == []
    assert run.resumes() == [Finish()]


def test_nobody_comes_to_resume_a_run(run: Run) -> None:
    run.resumes()
    assert only(Abort, run.passes(run.deadline("agents"))).no_agents


def test_a_run_that_was_given_up_before_it_began_is_taken_up() -> None:
    run = Run()
    run.opens()
    run.passes(run.deadline("agents"))
    assert run.joins("a") == []
    assert run.resumes() == [SetDeadline(kind="agents", round=0, number=2, seconds=30.0)]
    run.joins("a")
    only(StartRun, run.joins("b"))


def test_a_run_that_was_given_up_at_its_deadline_is_taken_up_with_all_its_extensions(run: Run) -> None:
    run.sends("a")
    run.passes(run.deadline("round"))
    run.passes(run.deadline("round"))
    assert run.machine.phase == "aborted"
    run.resumes()
    assert run.machine.phase == "training"
    assert len(run.machine.completed) == 1
    assert run.passes(run.deadline("round")) == [run.deadline("round")]
    run.joins("a")
    only(Aggregate, run.trains())


def test_a_run_that_is_taken_up_counts_attempts_anew() -> None:
    run = Run(plan(agents=1, clients_per_round=1, max_attempts=2))
    run.begins("a")
    run.fails("a")
    run.resumes()
    run.passes(run.deadline("agents"))
    assert run.machine.phase == "aborted"
    run.resumes()
    assert only(AssignTask, run.joins("a")).attempt == 1
    assert only(AssignTask, run.fails("a")).attempt == 2


def test_a_run_that_was_given_up_for_its_failures_tries_those_clients_anew() -> None:
    run = Run(plan(agents=1, clients_per_round=2, quorum=1.0, max_attempts=1))
    run.begins("a")
    client = run.client_of("a")
    run.fails("a")
    run.sends("a")
    assert run.machine.phase == "aborted"
    run.resumes()
    assert run.machine.dropped == ()
    (task,) = every(AssignTask, run.joins("a"))
    assert (task.client, task.attempt) == (client, 1)
    assert len(only(Aggregate, run.trains()).updates) == 2


def test_an_update_that_a_resume_finds_lost_is_trained_again_first_and_at_the_same_attempt(run: Run) -> None:
    run.sends("a")
    lost = run.machine.completed[0]
    assert run.loses_update(lost) == [ForgetClient(round=1, client=lost)]
    run.resumes()
    assert run.machine.completed == ()
    (task,) = every(AssignTask, run.joins("a"))
    assert (task.client, task.attempt) == (lost, 1)
    assert len(only(Aggregate, run.trains()).updates) == 4


def test_an_aggregation_without_all_its_updates_goes_back_to_training(run: Run) -> None:
    run.trains()
    lost = run.machine.completed[1]
    run.loses_update(lost)
    run.resumes()
    assert (run.machine.phase, run.machine.waiting) == ("training", (lost,))


def test_a_state_that_is_lost_with_an_update_is_trained_for_again_from_the_one_before(run: Run) -> None:
    run.trains()
    aggregated = only(Aggregate, run.commands)
    run.aggregates()
    assert run.machine.phase == "evaluating"
    lost = run.machine.completed[0]
    run.loses_update(lost)
    run.resumes()
    assert only(AssignTask, run.joins("a")).state_sha256 == INITIAL
    assert only(Aggregate, run.trains()) == aggregated


def test_what_a_run_that_was_given_up_lost_is_trained_again_when_it_is_taken_up(run: Run) -> None:
    run.sends("a")
    lost = run.machine.completed[0]
    run.passes(run.deadline("round"))
    run.passes(run.deadline("round"))
    assert run.loses_update(lost) == [ForgetClient(round=1, client=lost)]
    assert run.machine.phase == "aborted"
    run.resumes()
    assert run.machine.completed == ()
    run.joins("a")
    assert len(only(Aggregate, run.trains()).updates) == 4


def test_an_update_of_a_closed_round_cannot_be_lost_any_more() -> None:
    run = Run(plan(rounds=1))
    run.begins("a", "b")
    run.trains()
    client = run.machine.completed[0]
    run.aggregates()
    run.evaluates()
    assert run.loses_update(client) == []
    assert run.resumes() == [Finish()]
