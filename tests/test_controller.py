"""The controller carries out what the machine orders, and keeps each fact before anything follows from it."""

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
from harness.profiles import Experiment
from harness.rounds.commands import AssignTask, CancelTask
from harness.rounds.events import AgentJoined, AnyEvent, TaskFailed, UpdateReceived
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan
from harness.store import RunFolder

SMALL = experiment(rounds={"count": 2, "clients_per_round": 3}, agents={"count": 1, "join_timeout_s": 60.0})


class Obedient:
    """A fleet of one agent that gives each client's number back as its update; ``fails`` always fail."""

    def __init__(self, fails: bool = False) -> None:
        self.seeds: list[int] = []
        self.farewell = ""
        self._fails = fails
        self._events: list[AnyEvent] = [AgentJoined(at_s=0.0, agent="a", host="h", provision_s=0.0, ship_s=0.0)]

    def assign(self, task: AssignTask, state: Path, seed: int, update: Path) -> None:
        assert state.is_file()
        self.seeds.append(seed)
        name = {"agent": task.agent, "round": task.round, "client": task.client, "attempt": task.attempt}
        if self._fails:
            self._events.append(TaskFailed(at_s=1.0, reason="out of memory", **name))
            return
        update.parent.mkdir(parents=True, exist_ok=True)
        update.write_bytes(bytes([task.client]))
        record = client_record(task.round, task.client, agent="a", attempt=task.attempt)
        self._events.append(UpdateReceived(at_s=1.0, record=record))

    def cancel(self, task: CancelTask) -> None:
        raise AssertionError("nothing is late here")

    def wait(self, timeout_s: float, wake_fds: Sequence[int] = ()) -> list[AnyEvent]:
        events, self._events = self._events, []
        return events

    def close(self, reason: str) -> None:
        self.farewell = reason


class Concatenation:
    """Learning that puts updates one after the other, so that their order shows."""

    def aggregate(self, updates: list[tuple[Path, int]], out: Path) -> str:
        out.write_bytes(b"".join(path.read_bytes() for path, _ in updates))
        return hashlib.sha256(out.read_bytes()).hexdigest()

    def evaluate(self, state: Path, progress: Callable[[float], None]) -> dict[str, float]:
        progress(1.0)
        return {"accuracy": len(state.read_bytes()) / 10}


class Audience:
    """Counts events, and checks that each stands in the file when it is shown."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.seen = folder, 0

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        self.seen += 1
        assert len(self.folder.read_events()) == self.seen


def conducted(path: Path, fleet: Obedient, of: Experiment = SMALL) -> tuple[RunFolder, Controller]:
    folder = RunFolder.create(path, of.name)
    folder.write_header(header(of=of, state="running"))
    initial = path / "initial"
    initial.write_bytes(b"\0")
    sha256 = folder.keep_initial_state(initial)
    machine = RoundMachine(RunPlan.of(of))
    controller = Controller(folder, of, machine, fleet, Concatenation(), Audience(folder), RunClock())
    controller.open(0.25, sha256)
    return folder, controller


def test_a_run_goes_from_its_first_event_to_its_last_round(tmp_path: Path) -> None:
    fleet = Obedient()
    folder, controller = conducted(tmp_path, fleet)
    controller.run()
    rounds = folder.read_rounds()
    assert [record.metrics for record in rounds] == [{"accuracy": 0.3}] * 2
    assert folder.checkpoint(2).read_bytes() == bytes(sorted(rounds[1].selected))
    assert folder.read_header().state == "done"
    assert fleet.farewell == "the run is done"
    assert len(set(fleet.seeds)) == 6


def test_without_agents_the_run_ends_and_its_header_says_why(tmp_path: Path) -> None:
    fleet = Obedient()
    fleet.wait(0)
    folder, controller = conducted(
        tmp_path,
        fleet,
        msgspec.structs.replace(SMALL, agents=msgspec.structs.replace(SMALL.agents, join_timeout_s=0.01)),
    )
    with pytest.raises(NoAgentsError, match="no agents came"):
        controller.run()
    assert folder.read_header().state == "failed"


def test_clients_that_fail_for_good_end_the_run_with_their_reason(tmp_path: Path) -> None:
    folder, controller = conducted(tmp_path, Obedient(fails=True))
    with pytest.raises(FederaBenchError, match=r"out of memory \(3 x\)"):
        controller.run()
    assert "out of memory" in (folder.read_header().reason or "")


def test_a_training_seed_depends_on_seed_round_and_client_alone() -> None:
    seeds = {training_seed(s, r, k) for s in range(3) for r in range(3) for k in range(3)}
    assert len(seeds) == 27
    assert training_seed(0, 1, 2) == int.from_bytes(hashlib.sha256(b"training:0:1:2").digest()[:4], "big")
