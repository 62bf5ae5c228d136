"""A run's surroundings for property tests: agents, deadlines, errands; every order is checked and carried out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from run_folders import client_record

from harness.records import ClientRecord, Late, RoundRecord
from harness.rounds import commands as c
from harness.rounds import events as e
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan
from harness.rounds.replay import replay, written
from harness.rounds.selection import cohort

ENOUGH_STEPS = 300


class World:
    """What a shell would hold: the tasks under way by agent, the deadlines that run, the errand that is out."""

    def __init__(self, plan: RunPlan) -> None:
        self.plan = plan
        self.machine = RoundMachine(plan)
        self.events: list[e.AnyEvent] = []
        self.commands: list[c.AnyCommand] = []
        self.tasks: dict[str, c.AssignTask] = {}
        self.deadlines: dict[str, c.SetDeadline] = {}
        self.errand: c.Aggregate | c.Evaluate | None = None
        self.started = False
        self.state_sha256 = f"{0:064x}"
        self.accepted: dict[tuple[int, int], ClientRecord] = {}
        self.averaged: dict[int, c.Aggregate] = {}
        self.rounds: list[RoundRecord] = []
        self.late: list[Late] = []

    # What happens, asked for or not

    def tell(self, kind: type[e.Event], /, **facts: Any) -> list[c.AnyCommand]:
        """An event goes through its line of ``events.jsonl`` to the machine; its orders are carried out."""
        line = msgspec.json.encode(kind(at_s=float(len(self.events)), **facts))
        event: Any = msgspec.json.decode(line, type=e.AnyEvent)
        over = self.machine.over and kind is not e.ControllerResumed
        commands = self.machine.handle(event)
        assert not (over and commands), f"the run is over, but {event} gives {commands}"
        self.events.append(event)
        self.commands += commands
        for order in commands:
            self._carry_out(order)
        self.machine.validate()
        self._something_is_awaited()
        return commands

    def open(self) -> None:
        self.tell(e.RunOpened, svd_s=0.5, state_sha256=self.state_sha256)

    def join(self, agent: str, host: str) -> None:
        self.tasks.pop(agent, None)
        self.tell(e.AgentJoined, agent=agent, host=host, provision_s=1.0, ship_s=2.0)

    def lose(self, agent: str) -> None:
        self.tasks.pop(agent, None)
        self.tell(e.AgentLost, agent=agent, reason="it was switched off")

    def receive(self, round: int, client: int, agent: str, attempt: int) -> None:
        self._end_task(round, client, agent, attempt)
        self.tell(e.UpdateReceived, record=client_record(round, client, agent=agent, attempt=attempt))

    def come_late(self, round: int, client: int, agent: str, attempt: int) -> None:
        task = {"round": round, "client": client, "agent": agent, "attempt": attempt}
        assert self.tell(e.UpdateLate, **task) == []

    def fail(self, round: int, client: int, agent: str, attempt: int) -> None:
        self._end_task(round, client, agent, attempt)
        task = {"round": round, "client": client, "agent": agent, "attempt": attempt}
        self.tell(e.TaskFailed, reason="out of memory", **task)

    def pass_deadline(self, kind: str, round: int, number: int) -> None:
        order = self.deadlines.get(kind)
        runs = order is not None and (order.round, order.number) == (round, number)
        if runs:
            del self.deadlines[kind]
        commands = self.tell(e.DeadlinePassed, kind=kind, round=round, number=number)
        assert runs or not commands, "a deadline that was replaced has passed, and something changed"

    def aggregate(self, round: int) -> None:
        asked = isinstance(self.errand, c.Aggregate) and self.errand.round == round
        if asked:
            self.errand, self.state_sha256 = None, f"{round:064x}"
        commands = self.tell(e.Aggregated, round=round, state_sha256=f"{round:064x}", aggregate_s=0.5)
        assert bool(commands) == asked

    def evaluate(self, round: int) -> None:
        asked = isinstance(self.errand, c.Evaluate) and self.errand.round == round
        if asked:
            self.errand = None
        commands = self.tell(e.Evaluated, round=round, metrics={"accuracy": 0.5}, evaluate_s=0.25)
        assert bool(commands) == asked

    def resume(self, *lost: int) -> None:
        """The process is gone with all that it had under way; a new one knows the events alone.

        It finds the updates of ``lost`` clients of the open round gone, whether or not they were there.
        """
        self._stop()
        self.machine, commands = replay(self.plan, self.events)
        assert commands == self.commands, "the same events gave other commands"
        for client in lost:
            self._lose_update(client)
        self.tell(e.ControllerResumed)
        clients, rounds = written(self.commands)
        assert {(record.round, record.client): record for record in clients} == self.accepted
        assert rounds == self.rounds

    def _lose_update(self, client: int) -> None:
        event = e.UpdateLost(at_s=float(len(self.events)), round=self.machine.round, client=client, reason="it is gone")
        had = client in self.machine.completed and self.machine.phase != "finished"
        before = self.machine.phase
        commands = self.machine.handle(event)
        self.machine.validate()
        self.events.append(event)
        self.commands += commands
        assert commands == ([c.ForgetClient(round=event.round, client=client)] if had else [])
        if had:
            del self.accepted[event.round, client]
            self.averaged.pop(event.round, None)
            self.state_sha256 = self.machine.state_before_sha256
            assert self.machine.phase == ("aborted" if before == "aborted" else "training")

    # How it may go on from here

    def carry_to_the_end(self) -> None:
        """With good luck from now on, and its user's patience, the run does all its rounds."""
        for _ in range(ENOUGH_STEPS):
            if self.machine.phase == "finished":
                assert len(self.rounds) == self.plan.rounds
                return
            if self.machine.over:
                self.resume()
            else:
                self._go_on_well()
        raise AssertionError(f"stuck in {self.machine.phase} of round {self.machine.round}")

    def wait_in_vain(self) -> None:
        """Nobody says anything any more: the run comes to an end by itself."""
        for _ in range(ENOUGH_STEPS):
            if self.machine.over:
                return
            if self.errand is not None:
                self._finish_errand(self.errand)
            else:
                order = self.deadlines[min(self.deadlines)]
                self.pass_deadline(order.kind, order.round, order.number)
        raise AssertionError(f"waiting forever in {self.machine.phase} of round {self.machine.round}")

    def _go_on_well(self) -> None:
        if self.errand is not None:
            self._finish_errand(self.errand)
        elif self.tasks:
            task = self.tasks[min(self.tasks)]
            self.receive(task.round, task.client, task.agent, task.attempt)
        else:
            name = f"new-{len(self.machine.agents)}"
            self.join(name, name)

    def _finish_errand(self, errand: c.Aggregate | c.Evaluate) -> None:
        if isinstance(errand, c.Aggregate):
            self.aggregate(errand.round)
        else:
            self.evaluate(errand.round)

    # Orders, carried out and checked

    def _carry_out(self, order: c.AnyCommand) -> None:
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
            case c.Aggregate() | c.Evaluate():
                self._send_errand(order)
            case c.WriteClient(record=record):
                assert (record.round, record.client) not in self.accepted, "an update was accepted twice"
                self.accepted[record.round, record.client] = record
            case c.ForgetClient():
                raise AssertionError("an update was lost without a resume")
            case c.WriteRound(record=record):
                self._close_round(record)
            case c.Finish() | c.Abort():
                self._stop()

    def _assign(self, order: c.AssignTask) -> None:
        assert order.agent in self.machine.agents
        assert order.agent not in self.tasks, "two tasks for one agent"
        assert (order.round, order.client) not in self.accepted, "trained again"
        assert len(self.machine.completed) < self.plan.clients_per_round, "trained beyond need"
        assert 1 <= order.attempt <= self.plan.max_attempts
        assert order.state_sha256 == self.state_sha256, "trained from an old state"
        self.tasks[order.agent] = order

    def _send_errand(self, errand: c.Aggregate | c.Evaluate) -> None:
        assert self.errand is None
        assert not self.tasks
        self.errand = errand
        if isinstance(errand, c.Evaluate):
            assert errand.state_sha256 == self.state_sha256
            return
        assert self.averaged.setdefault(errand.round, errand) == errand, "averaged again, but other updates"
        taken = sorted(self.accepted[key].update_sha256 for key in self.accepted if key[0] == errand.round)
        assert sorted(ref.sha256 for ref in errand.updates) == taken
        assert self.plan.needed <= len(errand.updates) <= self.plan.clients_per_round

    def _close_round(self, record: RoundRecord) -> None:
        plan, number = self.plan, len(self.rounds) + 1
        assert record.round == number
        assert record.selected == cohort(plan.cohort_seed, number, plan.clients, plan.chosen)
        assert record.completed == tuple(ref.client for ref in self.averaged[number].updates)
        failed = [failure.client for failure in record.failed]
        assert sorted((*record.completed, *failed, *record.spare)) == list(record.selected)
        assert not record.spare or len(record.completed) == plan.clients_per_round, "spare, but not enough others"
        self.late += record.late
        tasks = [(late.round, late.client, late.agent, late.attempt) for late in self.late]
        assert len(tasks) == len(set(tasks)), "a late update was noted twice"
        before_s = self.rounds[-1].elapsed_s if self.rounds else self.machine.init_s
        assert record.elapsed_s == pytest.approx(before_s + record.round_s)
        assert record.round_s == (record.wall_s if self.machine.clock == "wall" else record.critical_path_s)
        assert bool(record.metrics) == plan.evaluates(number)
        self.rounds.append(record)

    def _stop(self) -> None:
        self.tasks, self.deadlines, self.errand = {}, {}, None

    def _end_task(self, round: int, client: int, agent: str, attempt: int) -> None:
        task = self.tasks.get(agent)
        if task is not None and (task.round, task.client, task.attempt) == (round, client, attempt):
            del self.tasks[agent]

    def _something_is_awaited(self) -> None:
        """A run that is not over waits for something that will come: it cannot stand still."""
        phase, agents = self.machine.phase, self.machine.agents
        if self.machine.over:
            return
        assert {task.client: agent for agent, task in self.tasks.items()} == self.machine.running
        assert (phase in ("aggregating", "evaluating")) == (self.errand is not None)
        if phase == "training":
            assert "round" in self.deadlines
        if self.machine.opened and (phase == "gathering" or (phase == "training" and not agents)):
            assert "agents" in self.deadlines
