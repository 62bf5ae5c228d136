"""A run's surroundings for property tests: agents, deadlines, errands; what happens to it, and how it goes on."""

from __future__ import annotations

from typing import Any

import msgspec
from rounds_books import Books
from run_folders import client_record

from harness.rounds import commands as c
from harness.rounds import events as e
from harness.rounds.replay import replay, written

ENOUGH_STEPS = 300


class World(Books):
    """Tells the machine what happens, and lets the books check what it answers."""

    # What happens, asked for or not

    def tell(self, kind: type[e.Event], /, **facts: Any) -> list[c.AnyCommand]:
        """An event goes through its line of ``events.jsonl`` to the machine; its orders are carried out."""
        line = msgspec.json.encode(kind(at_s=float(len(self.events)), **facts))
        event: Any = msgspec.json.decode(line, type=e.AnyEvent)
        over = self.machine.over and kind is not e.ControllerResumed
        beside = self.machine.beside
        commands = self.machine.handle(event)
        if over and commands:  # it was given up, and the round before is closed
            (order,) = commands
            assert (type(order), event.round) == (c.WriteRound, beside), f"over, but {event} gives {commands}"
        self.events.append(event)
        self.commands += commands
        for order in commands:
            self.carry_out(order)
        self.machine.validate()
        self.something_is_awaited()
        return commands

    def open(self) -> None:
        self.tell(e.RunOpened, svd_s=0.5, state_sha256=self.state_sha256, overlap=self.overlap)

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
        asked = self.aggregation is not None and self.aggregation.round == round
        waits = self.machine.beside is not None
        if asked:
            self.aggregation, self.state_sha256 = None, f"{round:064x}"
        commands = self.tell(e.Aggregated, round=round, state_sha256=f"{round:064x}", aggregate_s=0.5)
        assert bool(commands) == (asked and not waits)

    def evaluate(self, round: int) -> None:
        asked = self.evaluation is not None and self.evaluation.round == round
        if asked:
            self.evaluation = None
        commands = self.tell(e.Evaluated, round=round, metrics={"accuracy": 0.5}, evaluate_s=0.25)
        assert bool(commands) == asked

    def resume(self, *lost: int, ago: int = 0) -> None:
        """The process is gone with all that it had under way; a new one knows the events alone.

        It finds the updates of ``lost`` clients gone, whether or not they were there: of the open round, or of one that
        many rounds ``ago``.
        """
        self.stop()
        self.evaluation = None
        self.machine, commands = replay(self.plan, self.events)
        assert commands == self.commands, "the same events gave other commands"
        round = self.machine.round - ago
        for client in lost:
            self._lose_update(round, client)
        self.tell(e.ControllerResumed)
        clients, rounds = written(self.commands)
        assert {(record.round, record.client): record for record in clients} == self.accepted
        assert rounds == self.rounds

    def _lose_update(self, round: int, client: int) -> None:
        machine = self.machine
        event = e.UpdateLost(at_s=float(len(self.events)), round=round, client=client, reason="it is gone")
        reached = round == machine.goes_back_to or (round == machine.round and machine.phase != "finished")
        had, before = reached and (round, client) in self.accepted, machine.phase
        commands = machine.handle(event)
        machine.validate()
        self.events.append(event)
        self.commands += commands
        assert (c.ForgetClient(round=round, client=client) in commands) == had == bool(commands)
        for order in commands:
            self.forget(order)
        if had:
            self.state_sha256 = machine.state_before_sha256
            assert (machine.round, self.state_sha256) == (round, f"{round - 1:064x}")
            assert machine.phase == ("aborted" if before == "aborted" else "training")

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
            if self.aggregation is not None or self.evaluation is not None:
                self.finish_errands()
            else:
                order = self.deadlines[min(self.deadlines)]
                self.pass_deadline(order.kind, order.round, order.number)
        raise AssertionError(f"waiting forever in {self.machine.phase} of round {self.machine.round}")

    def finish_errands(self) -> None:
        """Aggregation first: it never waits for an evaluation."""
        if self.aggregation is not None:
            self.aggregate(self.aggregation.round)
        if self.evaluation is not None:
            self.evaluate(self.evaluation.round)

    def _go_on_well(self) -> None:
        """Whoever trains comes before what is evaluated, so that a round may have to wait."""
        if self.aggregation is None and self.tasks:
            task = self.tasks[min(self.tasks)]
            self.receive(task.round, task.client, task.agent, task.attempt)
        elif self.aggregation is not None or self.evaluation is not None:
            self.finish_errands()
        else:
            name = f"new-{len(self.machine.agents)}"
            self.join(name, name)

    def _end_task(self, round: int, client: int, agent: str, attempt: int) -> None:
        task = self.tasks.get(agent)
        if task is not None and (task.round, task.client, task.attempt) == (round, client, attempt):
            del self.tasks[agent]
