"""The controller's shell with a fleet and a learning side of a few lines: what it keeps, orders, and how it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from run_folders import client_record, experiment, header

from harness.clock import RunClock
from harness.controller import Controller, training_seed
from harness.errors import FederaBenchError, NoAgentsError
from harness.records import Header
from harness.rounds.commands import AssignTask, CancelTask, WriteRound
from harness.rounds.events import (
    AgentJoined,
    AnyEvent,
    ControllerResumed,
    DeadlinePassed,
    Evaluated,
    RunOpened,
    TaskFailed,
    UpdateLost,
    UpdateReceived,
)
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan
from harness.rounds.replay import replay
from harness.store import RunFolder

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

    def assign(self, task: AssignTask, state: Path, seed: int, update: Path) -> None:
        self.tasks.append(task)
        self.seeds[task.round, task.client] = seed
        self.states.append(state.read_text())
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
    """States are texts: the updates, joined; the metric grows."""

    def __init__(self) -> None:
        self.evaluated: list[str] = []

    def aggregate(self, updates: list[tuple[Path, int]], out: Path) -> str:
        out.write_text("+".join(f"{path.read_text()}*{samples}" for path, samples in updates))
        return hashlib.sha256(out.read_bytes()).hexdigest()

    def evaluate(self, state: Path, progress: Callable[[float], None]) -> dict[str, float]:
        progress(0.5)
        self.evaluated.append(state.read_text())
        return {"accuracy": len(self.evaluated) / 10}


class Audience:
    """Keeps the events it is shown, and checks that each stood in the file before."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.events = folder, list[AnyEvent]()
        self._earlier = len(folder.read_events())

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        self.events.append(event)
        assert self.folder.read_events()[self._earlier :] == self.events


JOINED = AgentJoined(at_s=0.0, agent="a", host="here", provision_s=3.0, ship_s=0.5)


class World:
    """A run folder and what is needed to carry it on."""

    def __init__(self, root: Path, fleet: FakeFleet | None = None, of=TWO_ROUNDS) -> None:
        self.folder = RunFolder.create(root, "r")
        self.folder.write_header(header("federa", of=of, state="running", svd_s=None, init_s=None, warnings=("w",)))
        self.folder.checkpoint(0).write_text("initial")
        self.experiment = of
        self.fleet, self.learning = fleet or FakeFleet(JOINED), FakeLearning()

    def run(self, *found: AnyEvent) -> None:
        self.seen = Audience(self.folder)
        machine, _ = replay(RunPlan.of(self.experiment), self.folder.read_events())
        parts = (self.folder, self.experiment, machine, self.fleet, self.learning, self.seen, RunClock())
        Controller(*parts).run(svd_s=0.25, state_sha256=STATE, found=found)

    def header(self) -> Header:
        return self.folder.read_header()


def test_a_run_goes_from_its_first_event_to_its_end(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run()
    assert [type(event) for event in world.seen.events[:2]] == [RunOpened, AgentJoined]
    assert world.folder.read_events() == world.seen.events
    rounds = world.folder.read_rounds()
    assert [record.round for record in rounds] == [1, 2]
    assert [record.metrics["accuracy"] for record in rounds] == [0.1, 0.2]
    assert world.fleet.closed == ["the run is done"]
    told = world.header()
    assert (told.state, told.clock, told.agents) == ("done", "critical path", ("a",))
    assert (told.svd_s, told.ship_s, told.init_s, told.provision_s) == (0.25, 0.5, 0.75, 3.0)
    assert told.warnings[0] == "w"


def test_each_round_trains_from_the_last_state_with_a_seed_of_its_own(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run()
    assert world.fleet.states[:2] == ["initial", "initial"]
    after_first = world.learning.evaluated[0]
    assert world.fleet.states[2:] == [after_first, after_first]
    seeds = {(task.round, task.client): training_seed(0, task.round, task.client) for task in world.fleet.tasks}
    assert world.fleet.seeds == seeds
    assert len(set(seeds.values())) == 4
    first = sorted(client for round, client in seeds if round == 1)
    assert after_first == "+".join(f"{seeds[1, client]}*100" for client in first)


def test_a_run_that_stopped_in_a_round_goes_on_with_it(tmp_path: Path) -> None:
    class Stopping(FakeFleet):
        def wait(self, timeout_s: float, wake_fds: Sequence[int] = ()) -> list[AnyEvent]:
            if len(self.tasks) == 2:
                raise KeyboardInterrupt
            return super().wait(timeout_s, wake_fds)

    world = World(tmp_path, Stopping(JOINED))
    with pytest.raises(KeyboardInterrupt):
        world.run()
    before = world.folder.read_events()
    world.fleet = FakeFleet(JOINED)
    world.run()
    assert isinstance(world.folder.read_events()[len(before)], ControllerResumed)
    assert [record.round for record in world.folder.read_rounds()] == [1, 2]
    assert world.header().state == "done"
    undisturbed = World(tmp_path / "undisturbed")
    undisturbed.run()
    hashes = [[record.state_sha256 for record in it.folder.read_rounds()] for it in (world, undisturbed)]
    assert hashes[0] == hashes[1]


def test_what_a_resume_found_lost_is_recorded_first_and_trained_again(tmp_path: Path) -> None:
    class Stopping(FakeFleet):
        def wait(self, timeout_s: float, wake_fds: Sequence[int] = ()) -> list[AnyEvent]:
            if len(self.tasks) == 2:
                raise KeyboardInterrupt
            return super().wait(timeout_s, wake_fds)

    world = World(tmp_path, Stopping(JOINED))
    with pytest.raises(KeyboardInterrupt):
        world.run()
    before, (update,) = world.folder.read_events(), world.folder.read_clients()
    world.fleet = FakeFleet(JOINED)
    world.run(UpdateLost(at_s=1.0, round=1, client=update.client, reason="it is gone"))
    lost, resumed = world.folder.read_events()[len(before) :][:2]
    assert isinstance(lost, UpdateLost)
    assert isinstance(resumed, ControllerResumed)
    assert (1, update.client) in world.fleet.seeds
    told = [(record.round, record.client) for record in world.folder.read_clients()]
    assert len(told) == len(set(told)) == 4


def test_without_agents_the_run_ends_and_the_header_says_why(tmp_path: Path) -> None:
    hurried = experiment(agents={"count": 1, "join_timeout_s": 0.001})
    world = World(tmp_path, FakeFleet(), of=hurried)
    with pytest.raises(NoAgentsError, match="no agents came"):
        world.run()
    assert isinstance(world.folder.read_events()[-1], DeadlinePassed)
    assert world.header().state == "failed"
    assert "no agents came" in world.header().reason
    assert len(world.fleet.closed) == 1


def test_clients_that_fail_for_good_end_the_run_with_their_reason(tmp_path: Path) -> None:
    class Failing(FakeFleet):
        def assign(self, task: AssignTask, state: Path, seed: int, update: Path) -> None:
            name = {"agent": task.agent, "round": task.round, "client": task.client, "attempt": task.attempt}
            self.coming.append(TaskFailed(at_s=1.0, reason="out of memory", **name))

    world = World(tmp_path, Failing(JOINED))
    with pytest.raises(FederaBenchError, match=r"out of memory \(2 x\)"):
        world.run()
    assert "out of memory" in world.header().reason


def test_a_training_seed_depends_on_seed_round_and_client_alone() -> None:
    seeds = {training_seed(s, r, k) for s in range(3) for r in range(3) for k in range(3)}
    assert len(seeds) == 27
    assert training_seed(0, 1, 2) == int.from_bytes(hashlib.sha256(b"training:0:1:2").digest()[:4], "big")


def test_what_an_errand_raises_ends_the_run(tmp_path: Path) -> None:
    world = World(tmp_path)

    class Failing(FakeLearning):
        def evaluate(self, state: Path, progress: Callable[[float], None]) -> dict[str, float]:
            raise FederaBenchError("the model is broken")

    world.learning = Failing()
    with pytest.raises(FederaBenchError, match="the model is broken"):
        world.run()
    assert not any(isinstance(event, Evaluated) for event in world.folder.read_events())


def test_what_was_carried_out_can_be_had_again_from_the_events(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run()
    _, orders = replay(RunPlan.of(TWO_ROUNDS), world.folder.read_events())
    again = [order.record for order in orders if isinstance(order, WriteRound)]
    assert msgspec.json.encode(again) == msgspec.json.encode(world.folder.read_rounds())
