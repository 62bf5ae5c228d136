"""The controller's shell with a fleet and a learning side of a few lines: what it keeps, orders, and how it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from controller_world import ERRORS, JOINED, SPENT, TWO_ROUNDS, FakeFleet, FakeLearning, World
from run_folders import experiment

from harness.controller import training_seed
from harness.errors import FederaBenchError, NoAgentsError, StoreError
from harness.fleets.beside import Beside
from harness.learning.evaluation import Evaluation
from harness.learning.outgoing import Outgoing
from harness.profiles import RecordProfile
from harness.rounds.commands import AssignTask, WriteRound
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
from harness.rounds.plan import RunPlan
from harness.rounds.replay import replay, written
from harness.store import RunFolder
from harness.timeline import Offset, Timeline
from harness.vitals import Vitals


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


def test_a_round_tells_what_the_learning_side_found_beside_the_state(tmp_path: Path) -> None:
    world = World(tmp_path, of=msgspec.structs.replace(TWO_ROUNDS, record=RecordProfile(drift=True)))
    world.run()
    for number, record in enumerate(world.folder.read_rounds(), start=1):
        assert record.errors == ERRORS
        assert record.privacy == msgspec.structs.replace(SPENT, steps=number)
        assert record.drift == {"layer.0.query.A": (float(number), None)}
        assert record.client_metrics == {client: {"accuracy": number / 20} for client in record.completed}


def test_nothing_that_clients_were_given_is_left_once_the_run_is_done(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.folder.outgoing(2).mkdir(parents=True)
    world.run()
    assert not world.folder.outgoing(2).parent.exists()


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
        def assign(self, task: AssignTask, given: Outgoing, seed: int, update: Path) -> None:
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
        def evaluate(self, round: int, clients: Sequence[int], progress: Callable[[float], None]) -> Evaluation:
            raise FederaBenchError("the model is broken")

    world.learning = Failing(world.folder)
    with pytest.raises(FederaBenchError, match="the model is broken"):
        world.run()
    assert not any(isinstance(event, Evaluated) for event in world.folder.read_events())


def test_what_was_carried_out_can_be_had_again_from_the_events(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run()
    _, orders = replay(RunPlan.of(TWO_ROUNDS), world.folder.read_events())
    again = [order.record for order in orders if isinstance(order, WriteRound)]
    assert msgspec.json.encode(again) == msgspec.json.encode(world.folder.read_rounds())


class Measuring(Beside):
    """A server that takes 1 W; ``folder`` is asked how the run stands at its end."""

    def __init__(self, folder: RunFolder, fault: str = "") -> None:
        self.folder, self.fault = folder, fault
        self.windows: list[tuple[float, float]] = []
        self.ends: list[str] = []
        self.turns = 0

    def tend(self) -> None:
        self.turns += 1

    def server(self, begin_s: float, end_s: float) -> Vitals | None:
        self.windows.append((begin_s, end_s))
        return Vitals(source="nvml", samples=3, coverage=1.0, energy_j=end_s - begin_s)

    def conclude(self) -> None:
        self.ends.append(self.folder.read_header().state)
        if self.fault:
            raise StoreError(self.fault)

    def forget(self) -> None:
        self.ends.append(self.folder.read_header().state)


def test_a_round_has_what_the_server_took_from_its_beginning_to_its_new_state(tmp_path: Path) -> None:
    world = World(tmp_path)
    beside = Measuring(world.folder)
    world.run(beside=beside)
    records = world.folder.read_rounds()
    assert [record.server.energy_j for record in records] == [end_s - begin_s for begin_s, end_s in beside.windows]
    assert all(0 <= record.server.energy_j <= record.wall_s + 0.1 for record in records)
    assert beside.turns > 2


def test_a_run_is_done_once_all_that_stands_beside_its_results_is_written(tmp_path: Path) -> None:
    world = World(tmp_path)
    beside = Measuring(world.folder)
    world.run(beside=beside)
    assert beside.ends == ["running", "done"]
    assert world.fleet.closed == ["the run is done"]


def test_what_a_done_run_tells_is_on_the_disk_before_it_is_called_done(tmp_path: Path) -> None:
    class Told(RunFolder):
        steps: ClassVar[list[str]] = []

        def sync_derived(self) -> None:
            super().sync_derived()
            self.steps.append(f"{len(self.read_rounds())} rounds synced")

        def mark(self, state: Any, reason: str | None) -> None:
            super().mark(state, reason)
            self.steps.append(state)

    world = World(tmp_path)
    world.folder = Told(world.folder.path)
    world.run()
    assert Told.steps == ["2 rounds synced", "done"]


def test_a_run_whose_disk_takes_its_results_and_no_more_can_be_resumed(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(StoreError, match="the disk is full"):
        world.run(beside=Measuring(world.folder, "the disk is full"))
    assert len(world.folder.read_rounds()) == 2
    assert world.header().state == "running"
    world.fleet = FakeFleet()
    world.run()
    assert world.header().state == "done"


def test_why_a_run_was_given_up_is_told_even_where_nothing_can_be_written(tmp_path: Path) -> None:
    hurried = experiment(agents={"count": 1, "join_timeout_s": 0.001})
    world = World(tmp_path, FakeFleet(), of=hurried)
    with pytest.raises(NoAgentsError, match="no agents came"):
        world.run(beside=Measuring(world.folder, "the disk is full"))
    assert world.header().state == "failed"


def test_what_was_measured_is_had_again_from_the_events_bit_for_bit(tmp_path: Path) -> None:
    class Sensed(FakeFleet):
        def wait(self, timeout_s: float, wake_fds: Sequence[int] = ()) -> list[AnyEvent]:
            events = super().wait(timeout_s, wake_fds)
            told = {"vitals": VITALS, "energy_j": VITALS.energy_j, "timeline": TIMELINE}
            return [
                msgspec.structs.replace(event, record=msgspec.structs.replace(event.record, **told))
                if isinstance(event, UpdateReceived)
                else event
                for event in events
            ]

    world = World(tmp_path, Sensed(JOINED))
    world.run(beside=Measuring(world.folder))
    _, orders = replay(RunPlan.of(TWO_ROUNDS), world.folder.read_events())
    clients, rounds = written(orders)
    assert msgspec.json.encode(clients) == msgspec.json.encode(world.folder.read_clients())
    assert msgspec.json.encode(rounds) == msgspec.json.encode(world.folder.read_rounds())
    assert clients[0].vitals == VITALS
    assert clients[0].timeline == TIMELINE
    assert rounds[0].energy_j == 2 * (VITALS.energy_j or 0.0)


VITALS = Vitals(source="ina3221", samples=7, coverage=0.1 + 0.2, energy_j=1 / 3, rails_j={"VDD_GPU_SOC": 1 / 7})
TIMELINE = Timeline(
    arrived_s=1e5 / 3, phase_at_s={"train": 1 / 9}, download=Offset(offset_s=-1e5 / 3, uncertainty_s=1e-4 / 3)
)
