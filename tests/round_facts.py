"""Facts for tests of rounds, told one after the other to a machine that is checked after each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from run_folders import client_record

from harness.rounds import events as e
from harness.rounds.commands import AnyCommand, AssignTask, SetDeadline
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan

INITIAL = f"{0:064x}"

PLAN = RunPlan(
    rounds=2,
    clients=10,
    clients_per_round=4,
    cohort_seed=0,
    deadline_s=60.0,
    quorum=0.5,
    max_extensions=1,
    max_attempts=2,
    agents=2,
    join_timeout_s=30.0,
    evaluate_every=1,
    evaluated=True,
)
"""Two rounds of four of ten clients on two agents; two clients are a quorum."""

T = TypeVar("T")


def plan(**changes: Any) -> RunPlan:
    """The plan with some rules replaced: plan(quorum=1.0)."""
    return msgspec.structs.replace(PLAN, **changes)


def only(kind: type[T], commands: Iterable[AnyCommand]) -> T:
    """The one command of this kind."""
    (found,) = every(kind, commands)
    return found


def every(kind: type[T], commands: Iterable[AnyCommand]) -> list[T]:
    """The commands of this kind, in order."""
    return [command for command in commands if isinstance(command, kind)]


def tasks(commands: Iterable[AnyCommand]) -> dict[str, int]:
    """Which client each agent is told to train."""
    return {task.agent: task.client for task in every(AssignTask, commands)}


class Run:
    """A machine, and what it was told so far. Each fact comes a second after the one before."""

    def __init__(self, plan: RunPlan = PLAN) -> None:
        self.machine = RoundMachine(plan)
        self.now_s = 0.0
        self.events: list[e.AnyEvent] = []
        self.commands: list[AnyCommand] = []

    def tell(self, kind: type[e.Event], /, **facts: Any) -> list[AnyCommand]:
        """Something happened; the commands that the machine gives."""
        self.now_s += 1.0
        event: Any = kind(at_s=self.now_s, **facts)
        self.events.append(event)
        commands = self.machine.handle(event)
        self.machine.validate()
        self.commands += commands
        return commands

    def opens(self, svd_s: float = 0.0, *, overlap: bool = False) -> list[AnyCommand]:
        return self.tell(e.RunOpened, svd_s=svd_s, state_sha256=INITIAL, overlap=overlap)

    def breaks(self, agent: str) -> list[AnyCommand]:
        """The agent's connection breaks, it comes back over another, and a stranger is turned away meanwhile."""
        return [*self.tell(e.AgentReconnected, agent=agent), *self.tell(e.MessagesRefused, counts={"key": 1})]

    def comes_late(self, agent: str, number: int, client: int, attempt: int = 1) -> list[AnyCommand]:
        """The agent offers an update of a task that the fleet gave to nobody, or to somebody else."""
        return self.tell(e.UpdateLate, round=number, client=client, agent=agent, attempt=attempt)

    def loses_update(self, client: int, number: int | None = None) -> list[AnyCommand]:
        """A new controller finds the file of an update of the open round, or of round ``number``, gone."""
        number = self.machine.round if number is None else number
        return self.tell(e.UpdateLost, round=number, client=client, reason="it is gone")

    def resumes(self) -> list[AnyCommand]:
        return self.tell(e.ControllerResumed)

    def joins(self, agent: str, host: str = "", provision_s: float = 0.0, ship_s: float = 0.0) -> list[AnyCommand]:
        host = host or f"host-of-{agent}"
        return self.tell(e.AgentJoined, agent=agent, host=host, provision_s=provision_s, ship_s=ship_s)

    def loses(self, agent: str, reason: str = "no heartbeat for 8 s") -> list[AnyCommand]:
        return self.tell(e.AgentLost, agent=agent, reason=reason)

    def sends(self, agent: str, client: int | None = None, **changes: Any) -> list[AnyCommand]:
        """An agent's update of the client it trains, or of another."""
        client = self.client_of(agent) if client is None else client
        number = changes.pop("round", self.machine.round)
        return self.tell(e.UpdateReceived, record=client_record(number, client, agent=agent, **changes))

    def fails(self, agent: str, reason: str = "out of memory", **changes: Any) -> list[AnyCommand]:
        """The agent could not train its client at the present attempt, unless other ``changes`` say otherwise."""
        client = changes.get("client", self.client_of(agent))
        facts = {"round": self.machine.round, "client": client, "attempt": self.attempt_of(client), **changes}
        return self.tell(e.TaskFailed, agent=agent, reason=reason, **facts)

    def passes(self, deadline: SetDeadline) -> list[AnyCommand]:
        return self.tell(e.DeadlinePassed, kind=deadline.kind, round=deadline.round, number=deadline.number)

    def aggregates(self, aggregate_s: float = 0.5, aside_s: float = 0.0) -> list[AnyCommand]:
        number, seconds = self.machine.round, {"aggregate_s": aggregate_s, "aside_s": aside_s}
        return self.tell(e.Aggregated, round=number, state_sha256=f"{number:064x}", **seconds)

    def evaluates(self, accuracy: float = 0.5) -> list[AnyCommand]:
        """The round that is evaluated beside the open one, or the open one."""
        number = self.machine.beside or self.machine.round
        return self.tell(e.Evaluated, round=number, metrics={"accuracy": accuracy}, evaluate_s=0.25)

    def begins(self, *agents: str, overlap: bool = False) -> list[AnyCommand]:
        """Opened, with these agents; the commands of the last one that joined."""
        self.opens(overlap=overlap)
        return [command for agent in agents for command in self.joins(agent)]

    def trains(self) -> list[AnyCommand]:
        """Everybody sends what they train until the round needs no more; the last commands."""
        commands: list[AnyCommand] = []
        while self.machine.phase == "training":
            commands = self.sends(next(iter(self.machine.running.values())))
        return commands

    def client_of(self, agent: str) -> int:
        """The client that the agent trains."""
        return next(client for client, busy in self.machine.running.items() if busy == agent)

    def attempt_of(self, client: int) -> int:
        """The number of the last attempt at this client that was ordered in this round; 1 if none was."""
        ordered = [
            t.attempt for t in every(AssignTask, self.commands) if (t.round, t.client) == (self.machine.round, client)
        ]
        return ordered[-1] if ordered else 1

    def deadline(self, kind: e.DeadlineKind) -> SetDeadline:
        """The last deadline of this kind that was asked for."""
        return [order for order in every(SetDeadline, self.commands) if order.kind == kind][-1]
