"""One run as a story, from its first event to its last."""

from __future__ import annotations

import pytest
from round_facts import INITIAL, Run, only, plan, tasks

from harness.rounds import events as e
from harness.rounds.commands import (
    Abort,
    Aggregate,
    AssignTask,
    Evaluate,
    Finish,
    SetDeadline,
    StartRun,
    WriteClient,
    WriteRound,
)


@pytest.fixture
def run() -> Run:
    """Two agents train two of the four clients of round 1."""
    run = Run()
    run.begins("a", "b")
    return run


# The whole run


def test_a_run_from_its_first_event_to_its_last() -> None:
    run = Run(plan(rounds=2, clients_per_round=2))
    assert run.opens(svd_s=0.5) == [SetDeadline(kind="agents", round=0, number=1, seconds=30.0)]
    assert run.joins("a") == []
    start, deadline, first, second = run.joins("b")
    assert isinstance(start, StartRun)
    assert deadline == SetDeadline(kind="round", round=1, number=1, seconds=60.0)
    one, two = run.machine.selected
    assert first == AssignTask(agent="a", round=1, client=one, attempt=1, state_sha256=INITIAL)
    assert second == AssignTask(agent="b", round=1, client=two, attempt=1, state_sha256=INITIAL)

    (written,) = run.sends("b")
    assert isinstance(written, WriteClient)
    written, aggregate = run.sends("a")
    assert isinstance(aggregate, Aggregate)
    assert [ref.client for ref in aggregate.updates] == [one, two]

    assert run.aggregates() == [Evaluate(round=1, state_sha256=f"{1:064x}", clients=(one, two))]
    closed, deadline, first, _ = run.evaluates(0.6)
    assert isinstance(closed, WriteRound)
    assert closed.record.metrics == {"accuracy": 0.6}
    assert deadline == SetDeadline(kind="round", round=2, number=1, seconds=60.0)
    assert isinstance(first, AssignTask)
    assert first.state_sha256 == f"{1:064x}"

    run.trains()
    run.aggregates()
    assert run.evaluates()[-1] == Finish()
    assert run.machine.phase == "finished"
    assert [record.round for record in run.machine.records] == [1, 2]


def test_an_agent_that_is_done_gets_the_next_client(run: Run) -> None:
    waiting = run.machine.waiting
    assert tasks(run.sends("b")) == {"b": waiting[0]}
    assert tasks(run.sends("a")) == {"a": waiting[1]}
    assert tasks(run.sends("a")) == {}
    assert (run.machine.idle, run.machine.waiting) == (("a",), ())


def test_a_round_that_is_not_evaluated_is_closed_at_its_new_state() -> None:
    run = Run(plan(evaluate_every=2))
    run.begins("a")
    run.joins("b")
    run.trains()
    record = only(WriteRound, run.aggregates()).record
    assert (record.round, record.metrics, record.evaluate_s) == (1, {}, None)
    run.trains()
    assert only(Evaluate, run.aggregates()).state_sha256 == f"{2:064x}"


def test_evaluation_and_the_wait_for_agents_are_off_the_clock() -> None:
    run = Run(plan(agents=1, clients_per_round=1))
    run.opens(svd_s=10.0)
    run.joins("a", ship_s=20.0, provision_s=100.0)
    run.trains()
    run.aggregates()
    run.now_s += 1000.0
    first = only(WriteRound, run.evaluates()).record
    assert (first.wall_s, first.elapsed_s) == (2.0, 32.0)
    run.trains()
    run.aggregates()
    second = only(WriteRound, run.evaluates()).record
    assert (second.wall_s, second.elapsed_s) == (2.0, 34.0)


def test_what_is_measured_beside_aggregating_is_off_the_clock() -> None:
    run = Run(plan(agents=1, clients_per_round=1))
    run.begins("a")
    run.trains()
    run.now_s += 7.0
    run.aggregates(aside_s=7.0)
    assert only(WriteRound, run.evaluates()).record.wall_s == 2.0
    run.trains()
    run.aggregates()
    assert only(WriteRound, run.evaluates()).record.wall_s == 2.0


def test_nothing_has_an_effect_before_the_run_is_opened() -> None:
    run = Run()
    assert run.resumes() == run.joins("a") == run.sends("a", 1) == []
    assert not run.machine.opened
    assert run.machine.agents == ()


def test_a_run_is_opened_once(run: Run) -> None:
    assert run.tell(e.RunOpened, svd_s=9.0, state_sha256="f" * 64) == []
    assert run.machine.state_sha256 == run.machine.initial_state_sha256 == INITIAL


# Gathering


def test_the_slowest_agent_says_what_shipping_and_provisioning_took() -> None:
    run = Run()
    run.opens(svd_s=0.5)
    run.joins("a", ship_s=2.0, provision_s=3.0)
    start = only(StartRun, run.joins("b", ship_s=1.0, provision_s=9.0))
    assert (start.svd_s, start.ship_s, start.provision_s) == (0.5, 2.0, 9.0)
    assert (start.agents, start.warnings) == (("a", "b"), ())
    assert run.machine.init_s == 2.5


def test_agents_on_one_host_make_a_round_count_as_its_slowest_client() -> None:
    run = Run(plan(clients_per_round=2))
    run.opens()
    run.joins("a", host="desk")
    start = only(StartRun, run.joins("b", host="desk"))
    assert start.clock == run.machine.clock == "critical path"
    assert len(start.warnings) == 1
    assert "agents a, b share a host: desk" in start.warnings[0]


def test_the_run_begins_with_fewer_agents_when_no_more_come_in_time() -> None:
    run = Run(plan(agents=3))
    run.begins("a", "b")
    start = only(StartRun, run.passes(run.deadline("agents")))
    assert start.warnings == ("2 of 3 agents came within 30 s; the run began with a, b",)
    assert len(run.machine.running) == 2


def test_a_run_that_nobody_came_to_is_given_up() -> None:
    run = Run()
    run.opens()
    abort = only(Abort, run.passes(run.deadline("agents")))
    assert abort.no_agents
    assert "no agents came: 2 agents were awaited for 30 s" in abort.reason
    assert run.machine.phase == "aborted"


def test_a_run_whose_agents_left_before_it_began_does_not_say_that_nobody_came() -> None:
    run = Run()
    run.begins("a")
    run.loses("a")
    abort = only(Abort, run.passes(run.deadline("agents")))
    assert not abort.no_agents
    assert "no agents came" not in abort.reason
    assert "federa-bench resume" in abort.reason


def test_an_agent_that_leaves_before_the_run_begins_is_not_counted() -> None:
    run = Run()
    run.begins("a")
    assert run.loses("a") == run.joins("b") == []
    assert only(StartRun, run.joins("c")).agents == ("b", "c")


def test_an_agent_that_joins_twice_is_counted_once() -> None:
    run = Run()
    run.begins("a")
    assert run.joins("a", ship_s=7.0) == []
    assert only(StartRun, run.joins("b")).ship_s == 7.0


# Errands that answer late


def test_an_answer_that_nobody_asked_for_changes_nothing(run: Run) -> None:
    assert run.aggregates() == run.evaluates() == []
    run.trains()
    assert run.evaluates() == []
    run.aggregates()
    assert run.aggregates() == []
    run.evaluates()
    assert run.machine.round == 2
    assert run.machine.state_sha256 == f"{1:064x}"


def test_an_answer_of_another_round_changes_nothing(run: Run) -> None:
    run.trains()
    assert run.tell(e.Aggregated, round=2, state_sha256="f" * 64, aggregate_s=0.1) == []
    run.aggregates()
    assert run.tell(e.Evaluated, round=2, metrics={"accuracy": 1.0}, evaluate_s=0.1) == []
    assert run.machine.phase == "evaluating"
