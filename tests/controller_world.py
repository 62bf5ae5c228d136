"""The controller's shell with a fleet and a learning side of a few lines: both sides of its tests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from run_folders import client_record, experiment, header

from harness.clock import RunClock
from harness.controller import Controller
from harness.fleets.beside import Beside
from harness.learning.aggregation.base import Aggregation, Update
from harness.learning.evaluation import Evaluation
from harness.learning.outgoing import Outgoing
from harness.records import Drift, ErrorComponents, Header, PrivacySpent
from harness.rounds.commands import AssignTask, CancelTask
from harness.rounds.events import AgentJoined, AnyEvent, UpdateReceived
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan
from harness.rounds.replay import replay
from harness.store import RunFolder
from harness.tensorfile import Layout

TWO_ROUNDS = experiment(
    rounds={"count": 2, "clients_per_round": 2},
    agents={"count": 1, "join_timeout_s": 60.0},
    partition={"clients": 4},
)
STATE = hashlib.sha256(b"initial").hexdigest()


class FakeFleet:
    """One agent that joins at once, and whose updates are its task's seed."""

    def __init__(self, *first: AnyEvent) -> None:
        self.coming = list(first)
        self.tasks: list[AssignTask] = []
        self.seeds: dict[tuple[int, int], int] = {}
        self.states: list[str] = []
        self.closed: list[str] = []

    def assign(self, task: AssignTask, given: Outgoing, seed: int, update: Path) -> None:
        self.tasks.append(task)
        self.seeds[task.round, task.client] = seed
        self.states.append(given.whole.read_text())
        update.write_text(str(seed))
        record = client_record(task.round, task.client, agent=task.agent, attempt=task.attempt)
        self.coming.append(UpdateReceived(at_s=0.0, record=record))

    def cancel(self, task: CancelTask) -> None:
        raise AssertionError(f"nothing is late here, but {task} was cancelled")

    def wait(self, timeout_s: float, wake_fds: Sequence[int] = ()) -> list[AnyEvent]:
        events, self.coming = self.coming, []
        return events

    def close(self, reason: str) -> None:
        self.closed.append(reason)


class FakeLearning:
    """States are texts: the updates, joined; the metric grows. What clients are given is the state."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.evaluated: list[str] = []

    def outgoing(self, round: int, client: int) -> Outgoing:
        state = self.folder.checkpoint(round - 1)
        return Outgoing(whole=state, sha256=hashlib.sha256(state.read_bytes()).hexdigest(), update=Layout(()))

    def aggregate(self, round: int, updates: Sequence[Update]) -> Aggregation:
        out = self.folder.checkpoint(round)
        out.write_text("+".join(f"{one.path.read_text()}*{one.samples}" for one in updates))
        return Aggregation(hashlib.sha256(out.read_bytes()).hexdigest(), ERRORS)

    def drift(self, round: int) -> Drift | None:
        return {"layer.0.query.A": (float(round), None)}

    def privacy(self, round: int) -> PrivacySpent | None:
        return msgspec.structs.replace(SPENT, steps=round)

    def evaluate(self, round: int, clients: Sequence[int], progress: Callable[[float], None]) -> Evaluation:
        progress(0.5)
        self.evaluated.append(self.folder.checkpoint(round).read_text())
        accuracy = len(self.evaluated) / 10
        return Evaluation({"accuracy": accuracy}, {client: {"accuracy": accuracy / 2} for client in clients})


class Audience:
    """Keeps the events it is shown, and checks that each stood in the file before."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.events = folder, list[AnyEvent]()

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        self.events.append(event)
        assert self.folder.read_events()[-1] == event


ERRORS = ErrorComponents(change=2.0, averaging=0.25, truncation=0.125, made=0.25)
SPENT = PrivacySpent(
    epsilon=1 / 3,
    delta=1e-5,
    unit="client",
    noise_multiplier=1.0,
    clip=1.0,
    sample_rate=0.5,
    steps=1,
    accountant="rdp",
    exact=False,
)
JOINED = AgentJoined(at_s=0.0, agent="a", host="here", provision_s=3.0, ship_s=0.5)


class World:
    """A run folder and what is needed to carry it on."""

    def __init__(self, root: Path, fleet: FakeFleet | None = None, of=TWO_ROUNDS) -> None:
        self.folder = RunFolder.create(root, "r")
        self.folder.write_header(header("federa", of=of, state="running", svd_s=None, init_s=None, warnings=("w",)))
        self.folder.checkpoint(0).write_text("initial")
        self.experiment = of
        self.fleet, self.learning = fleet or FakeFleet(JOINED), FakeLearning(self.folder)

    def run(
        self,
        *found: AnyEvent,
        beside: Beside | None = None,
        overlap: bool = False,
        seen: Audience | None = None,
    ) -> None:
        self.seen = seen or Audience(self.folder)
        machine, _ = replay(RunPlan.of(self.experiment), self.folder.read_events())
        parts = (self.folder, self.experiment, machine, self.fleet, self.learning, self.seen, RunClock(), beside)
        Controller(*parts).run(svd_s=0.25, state_sha256=STATE, found=found, overlap=overlap)

    def header(self) -> Header:
        return self.folder.read_header()
