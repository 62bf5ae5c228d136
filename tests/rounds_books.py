"""The books of a run for property tests: every order of its round machine is checked and carried out."""

from __future__ import annotations

import pytest

from harness.records import ClientRecord, RoundRecord
from harness.rounds import commands as c
from harness.rounds import events as e
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan
from harness.rounds.selection import cohort


class Books:
    """What a shell would hold: the tasks under way by agent, the deadlines that run, the errands that are out."""

    def __init__(self, plan: RunPlan, overlap: bool = False) -> None:
        self.plan, self.overlap = plan, overlap
        self.machine = RoundMachine(plan)
        self.events: list[e.AnyEvent] = []
        self.commands: list[c.AnyCommand] = []
        self.tasks: dict[str, c.AssignTask] = {}
        self.deadlines: dict[str, c.SetDeadline] = {}
        self.aggregation: c.Aggregate | None = None
        self.evaluation: c.Evaluate | None = None
        self.started = False
        self.state_sha256 = f"{0:064x}"
        self.accepted: dict[tuple[int, int], ClientRecord] = {}
        self.averaged: dict[int, c.Aggregate] = {}
        self.rounds: list[RoundRecord] = []

    def carry_out(self, order: c.AnyCommand) -> None:
        match order:
            case c.SetDeadline():
                self.deadlines[order.kind] = order
            case c.StartRun():
                assert not self.started
                self.started = True
            case c.AssignTask():
                self._assign(order)
            case c.CancelTask():
                task = self.tasks.pop(order.agent)
                assert (task.round, task.client, task.attempt) == (order.round, order.client, order.attempt)
            case c.Aggregate():
                self._begin_aggregation(order)
            case c.Evaluate():
                self._begin_evaluation(order)
            case c.WriteClient(record=record):
                assert (record.round, record.client) not in self.accepted, "an update was accepted twice"
                self.accepted[record.round, record.client] = record
            case c.ForgetClient() | c.ForgetRound():
                raise AssertionError("something was lost without a resume")
            case c.WriteRound(record=record):
                self._close_round(record)
            case c.Finish():
                assert self.evaluation is None, "finished, but there is something to evaluate"
                self.stop()
            case c.Abort():
                self.stop()  # but for the evaluation of the round before

    def _assign(self, order: c.AssignTask) -> None:
        assert order.agent in self.machine.agents
        assert order.agent not in self.tasks, "two tasks for one agent"
        assert (order.round, order.client) not in self.accepted, "trained again"
        assert len(self.machine.completed) < self.plan.clients_per_round, "trained beyond need"
        assert 1 <= order.attempt <= self.plan.max_attempts
        assert order.state_sha256 == self.state_sha256, "trained from an old state"
        self.tasks[order.agent] = order

    def _begin_aggregation(self, order: c.Aggregate) -> None:
        assert self.aggregation is None
        assert not self.tasks
        self.aggregation = order
        assert self.averaged.setdefault(order.round, order) == order, "averaged again, but other updates"
        taken = sorted(self.accepted[key].update_sha256 for key in self.accepted if key[0] == order.round)
        assert sorted(ref.sha256 for ref in order.updates) == taken
        assert self.plan.needed <= len(order.updates) <= self.plan.clients_per_round

    def _begin_evaluation(self, order: c.Evaluate) -> None:
        assert self.evaluation is None, "two states are evaluated at once"
        assert order.round == len(self.rounds) + 1, "evaluated before the round before was closed"
        assert order.state_sha256 == f"{order.round:064x}"
        assert order.clients == tuple(update.client for update in self.averaged[order.round].updates)
        self.evaluation = order

    def _close_round(self, record: RoundRecord) -> None:
        plan, number = self.plan, len(self.rounds) + 1
        assert record.round == number
        assert record.selected == cohort(plan.cohort_seed, number, plan.clients, plan.chosen)
        assert record.completed == tuple(ref.client for ref in self.averaged[number].updates)
        failed = [failure.client for failure in record.failed]
        assert sorted((*record.completed, *failed, *record.spare)) == list(record.selected)
        assert not record.spare or len(record.completed) == plan.clients_per_round, "spare, but not enough others"
        lates = (late for each in (*self.rounds, record) for late in each.late)
        tasks = [(late.round, late.client, late.agent, late.attempt) for late in lates]
        assert len(tasks) == len(set(tasks)), "a late update was noted twice"
        before_s = self.rounds[-1].elapsed_s if self.rounds else self.machine.init_s
        assert record.elapsed_s == pytest.approx(before_s + record.round_s)
        assert record.round_s == (record.wall_s if self.machine.clock == "wall" else record.critical_path_s)
        assert bool(record.metrics) == plan.evaluates(number)
        self.rounds.append(record)

    def stop(self) -> None:
        self.tasks, self.deadlines, self.aggregation = {}, {}, None

    def forget(self, order: c.AnyCommand) -> None:
        if isinstance(order, c.ForgetRound):
            assert self.rounds.pop().round == order.round
        else:
            assert isinstance(order, c.ForgetClient)
            del self.accepted[order.round, order.client]
            self.averaged.pop(order.round, None)

    def something_is_awaited(self) -> None:
        """A run that is not over waits for something that will come: it cannot stand still."""
        phase, agents = self.machine.phase, self.machine.agents
        if self.machine.over:
            return
        assert {task.client: agent for agent, task in self.tasks.items()} == self.machine.running
        assert (phase == "aggregating") == (self.aggregation is not None)
        assert (phase == "evaluating" or self.machine.beside is not None) == (self.evaluation is not None)
        assert len(self.rounds) >= self.machine.round - 2, "a round opened before the one before the last was closed"
        if phase == "training":
            assert "round" in self.deadlines
        if self.machine.opened and (phase == "gathering" or (phase == "training" and not agents)):
            assert "agents" in self.deadlines
