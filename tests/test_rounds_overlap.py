"""The state of a round is evaluated while the next round trains; rounds are closed in their order."""

from __future__ import annotations

import msgspec
import pytest
from round_facts import INITIAL, Run, every, only, plan

from harness.rounds.commands import (
    Abort,
    Aggregate,
    AssignTask,
    Evaluate,
    Finish,
    ForgetClient,
    ForgetRound,
    WriteRound,
)
from harness.rounds.events import AnyEvent, Evaluated, RunOpened
from harness.rounds.replay import replay, written


@pytest.fixture
def run() -> Run:
    """Round 1 of three is aggregated; two agents train two of the four clients of round 2."""
    run = Run(plan(rounds=3))
    run.begins("a", "b", overlap=True)
    run.trains()
    run.aggregates()
    return run


def rounds(run: Run) -> list[int]:
    return [order.record.round for order in every(WriteRound, run.commands)]


def test_the_next_round_opens_while_a_state_is_evaluated(run: Run) -> None:
    order = only(Evaluate, run.commands)
    assert (order.round, order.state_sha256, len(order.clients)) == (1, f"{1:064x}", 4)
    assert (run.machine.round, run.machine.beside, run.machine.phase) == (2, 1, "training")
    last_tasks = every(AssignTask, run.commands)[-2:]
    assert [(task.round, task.state_sha256) for task in last_tasks] == [(2, f"{1:064x}")] * 2
    assert rounds(run) == []
    record = only(WriteRound, run.evaluates(0.75)).record
    assert (record.round, record.metrics, record.completed) == (1, {"accuracy": 0.75}, order.clients)
    assert run.machine.beside is None


def test_a_round_that_is_done_sooner_than_the_evaluation_waits_for_it(run: Run) -> None:
    run.trains()
    assert run.aggregates() == []
    assert (run.machine.phase, run.machine.beside) == ("evaluating", 1)
    orders = run.evaluates()
    assert isinstance(orders[0], WriteRound)
    assert only(Evaluate, orders).round == 2
    assert {task.round for task in every(AssignTask, orders)} == {3}
    assert (run.machine.round, run.machine.beside) == (3, 2)


def test_the_last_state_is_evaluated_before_the_end(run: Run) -> None:
    run.trains()
    run.evaluates()
    run.aggregates()
    run.trains()
    assert run.aggregates() == []
    orders = run.evaluates()
    assert [type(order) for order in orders] == [WriteRound, Evaluate]
    assert [type(order) for order in run.evaluates()] == [WriteRound, Finish]
    assert rounds(run) == [1, 2, 3]


def test_a_round_that_is_not_evaluated_is_closed_after_the_one_that_is() -> None:
    run = Run(plan(rounds=4, evaluate_every=2))
    run.begins("a", "b", overlap=True)
    run.trains()
    assert only(WriteRound, run.aggregates()).record.round == 1
    run.trains()
    run.aggregates()
    run.trains()
    assert run.aggregates() == []
    orders = run.evaluates()
    assert [order.record.round for order in every(WriteRound, orders)] == [2, 3]
    assert (every(Evaluate, orders), run.machine.round, run.machine.beside) == ([], 4, None)


def test_evaluation_is_in_no_round_s_seconds(run: Run) -> None:
    """Each fact comes a second after the one before."""
    opened_s = run.now_s
    run.evaluates()
    run.trains()
    run.aggregates(aside_s=1.0)
    assert only(WriteRound, run.evaluates()).record.wall_s == run.now_s - opened_s - 2.0
    assert run.machine.clock == "critical path"
    assert run.machine.records[-1].elapsed_s == pytest.approx(sum(record.round_s for record in run.machine.records))


def test_a_round_that_had_to_wait_is_not_charged_with_it(run: Run) -> None:
    run.trains()
    run.aggregates()
    run.evaluates()
    opened_s = run.now_s
    run.trains()
    run.aggregates()
    aggregated_s = run.now_s
    run.evaluates()
    run.evaluates()
    assert run.machine.records[-1].wall_s == aggregated_s - opened_s


def test_what_comes_late_belongs_to_the_round_that_is_open_then(run: Run) -> None:
    run.comes_late("x", 1, 0)
    assert only(WriteRound, run.evaluates()).record.late == ()
    run.trains()
    run.aggregates()
    assert [late.agent for late in only(WriteRound, run.evaluates()).record.late] == ["x"]


def test_an_evaluation_of_another_round_is_not_the_one_that_is_awaited(run: Run) -> None:
    told = {"metrics": {"accuracy": 0.5}, "evaluate_s": 0.25}
    assert run.tell(Evaluated, round=2, **told) == []
    assert run.machine.beside == 1


def test_a_resumed_run_evaluates_again_beside_what_it_goes_on_with(run: Run) -> None:
    evaluate = only(Evaluate, run.commands)
    assert run.resumes() == [evaluate, run.deadline("agents"), run.deadline("round")]
    run.joins("a")
    aggregate = only(Aggregate, run.trains())
    assert run.resumes() == [evaluate, aggregate]
    run.aggregates()
    assert run.resumes() == [evaluate]
    assert only(Evaluate, run.evaluates()).round == 2


def test_a_run_that_is_given_up_still_closes_the_round_before(run: Run) -> None:
    run.passes(run.deadline("round"))
    only(Abort, run.passes(run.deadline("round")))
    assert only(WriteRound, run.evaluates()).record.round == 1
    assert run.evaluates() == []
    assert every(Evaluate, run.resumes()) == []
    assert (run.machine.phase, run.machine.round) == ("training", 2)


def test_an_update_that_the_evaluation_needs_and_is_lost_is_trained_again_first(run: Run) -> None:
    run.sends("a")
    (later,) = run.machine.completed
    lost = only(Evaluate, run.commands).clients[0]
    assert run.loses_update(lost, 1) == [ForgetClient(round=1, client=lost), ForgetClient(round=2, client=later)]
    assert (run.machine.round, run.machine.waiting, run.machine.beside) == (1, (lost,), None)
    run.resumes()
    (task,) = every(AssignTask, run.joins("a"))
    assert (task.round, task.client, task.state_sha256) == (1, lost, INITIAL)
    aggregations = every(Aggregate, run.commands)
    run.trains()
    assert every(Aggregate, run.commands)[-1] == aggregations[0]
    assert only(Evaluate, run.aggregates()).round == 1
    assert run.machine.round == 2


@pytest.mark.parametrize("overlap", [True, False])
def test_a_state_that_is_lost_with_its_updates_takes_its_closed_round_back(overlap: bool) -> None:
    run = Run(plan(rounds=3))
    run.begins("a", "b", overlap=overlap)
    run.trains()
    run.aggregates()
    run.evaluates()
    (first,) = run.machine.records
    run.comes_late("x", 1, 0)
    orders = [order for client in first.completed for order in run.loses_update(client, 1)]
    assert every(ForgetRound, orders) == [ForgetRound(round=1)]
    assert written(run.commands) == ([], [])
    assert (run.machine.round, run.machine.records, run.machine.goes_back_to) == (1, [], None)
    run.resumes()
    run.joins("a")
    run.trains()
    run.aggregates()
    run.evaluates()
    again = run.machine.records[0]
    assert (again.completed, again.state_sha256) == (first.completed, first.state_sha256)
    assert [late.agent for late in again.late] == ["x"]
    assert replay(plan(rounds=3), run.events)[1] == run.commands


def test_a_run_recorded_before_there_was_overlap_has_none() -> None:
    line = b'{"event":"run-opened","at_s":0.0,"svd_s":0.0,"state_sha256":"00"}'
    event: AnyEvent = msgspec.json.decode(line, type=AnyEvent)
    assert isinstance(event, RunOpened)
    assert not event.overlap


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("closed", [False, True])
def test_a_round_that_is_opened_again_is_not_charged_with_what_was_since_its_state(overlap: bool, closed: bool) -> None:
    run = Run(plan(rounds=3))
    run.begins("a", "b", overlap=overlap)
    run.trains()
    opened_s, clients = run.machine.round_opened_s, run.machine.completed
    run.aggregates(aside_s=0.25)
    assert opened_s is not None
    before_s = run.now_s - 0.25 - opened_s
    run.now_s += 600.0
    if closed:
        run.evaluates()
        run.trains()
    for client in sorted(clients):
        run.loses_update(client, 1)
    lost_s = run.now_s - len(clients) + 1
    run.resumes()
    for agent in ("a", "b"):
        run.joins(agent)
    run.trains()
    run.aggregates()
    made_s = run.now_s
    run.evaluates()
    assert every(WriteRound, run.commands)[-1].record.wall_s == pytest.approx(before_s + made_s - lost_s)
