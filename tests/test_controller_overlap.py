"""The controller with an evaluation beside the next round: what waits for it, what does not, and how it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from controller_world import JOINED, TWO_ROUNDS, Audience, FakeFleet, FakeLearning, World
from run_folders import experiment

from harness.errors import FederaBenchError
from harness.learning.evaluation import Evaluation
from harness.learning.outgoing import Outgoing
from harness.records import RoundRecord
from harness.rounds.commands import AssignTask
from harness.rounds.events import Aggregated, AnyEvent, Evaluated, RunOpened, TaskFailed
from harness.rounds.machine import RoundMachine
from harness.store import RunFolder

PATIENCE_S = 60.0
THREE_ROUNDS = experiment(
    rounds={"count": 3, "clients_per_round": 2},
    agents={"count": 1, "join_timeout_s": 60.0},
    partition={"clients": 4},
)


class Patient(FakeLearning):
    """A state's evaluation ends when the next one stands in the record; the last one's at once."""

    def __init__(self, world: World) -> None:
        super().__init__(world.folder)
        self._told = {round: threading.Event() for round in range(1, 6)}
        self.last = world.experiment.rounds.count
        self.audience = Watching(world.folder, self._told)

    def evaluate(self, round: int, clients: Sequence[int], progress: Callable[[float], None]) -> Evaluation:
        assert round == self.last or self._told[round + 1].wait(PATIENCE_S), "aggregation waited for evaluation"
        return super().evaluate(round, clients, progress)


class Watching(Audience):
    """Sets the event of each round whose state it saw."""

    def __init__(self, folder: RunFolder, told: Mapping[int, threading.Event]) -> None:
        super().__init__(folder)
        self._told = told

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        super().saw(event, machine)
        if isinstance(event, Aggregated):
            self._told[event.round].set()


def told(records: Sequence[RoundRecord]) -> list[tuple[int, str, tuple[int, ...], list[int]]]:
    """What of rounds does not depend on seconds."""
    return [(one.round, one.state_sha256, one.completed, sorted(one.client_metrics)) for one in records]


def quiet(root: Path, of=THREE_ROUNDS) -> list[RoundRecord]:
    world = World(root, of=of)
    world.run()
    return world.folder.read_rounds()


def test_aggregation_never_waits_for_an_evaluation(tmp_path: Path) -> None:
    world = World(tmp_path, of=THREE_ROUNDS)
    world.learning = patient = Patient(world)
    world.run(overlap=True, seen=patient.audience)
    events = world.folder.read_events()
    assert isinstance(events[0], RunOpened)
    assert events[0].overlap
    order = [(type(event), event.round) for event in events if isinstance(event, Aggregated | Evaluated)]
    assert order.index((Aggregated, 2)) < order.index((Evaluated, 1)) < order.index((Aggregated, 3))
    assert told(world.folder.read_rounds()) == told(quiet(tmp_path / "quiet"))
    assert not (world.folder.path / "updates" / "round-0003").exists()


def test_of_every_client_s_model_the_round_that_is_evaluated_is_told(tmp_path: Path) -> None:
    """The next round has other clients, and is open already."""
    world = World(tmp_path, of=THREE_ROUNDS)
    world.learning = patient = Patient(world)
    world.run(overlap=True, seen=patient.audience)
    records = world.folder.read_rounds()
    assert len({record.completed for record in records}) > 1
    assert all(tuple(record.client_metrics) == record.completed for record in records)


class Stopping(Audience):
    """Ends the run as Ctrl-C would, after so many events."""

    after = 0

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        super().saw(event, machine)
        if len(self.events) == self.after:
            raise KeyboardInterrupt


def test_it_does_not_matter_at_which_event_a_controller_dies(tmp_path: Path) -> None:
    expected = told(quiet(tmp_path / "quiet"))
    whole = World(tmp_path / "whole", of=THREE_ROUNDS)
    whole.run(overlap=True)
    for number in range(1, len(whole.folder.read_events())):
        world = World(tmp_path / str(number), of=THREE_ROUNDS)
        stops = Stopping(world.folder)
        stops.after = number
        with pytest.raises(KeyboardInterrupt):
            world.run(overlap=True, seen=stops)
        world.fleet, world.learning = FakeFleet(JOINED), FakeLearning(world.folder)
        world.run()
        assert told(world.folder.read_rounds()) == expected
        assert world.header().state == "done"


def test_a_run_that_is_given_up_has_the_round_that_was_evaluated_meanwhile(tmp_path: Path) -> None:
    class Failing(FakeFleet):
        def assign(self, task: AssignTask, given: Outgoing, seed: int, update: Path) -> None:
            if task.round == 1:
                super().assign(task, given, seed, update)
                return
            name = {"agent": task.agent, "round": task.round, "client": task.client, "attempt": task.attempt}
            self.coming.append(TaskFailed(at_s=1.0, reason="out of memory", **name))

    class Slow(FakeLearning):
        def evaluate(self, round: int, clients: Sequence[int], progress: Callable[[float], None]) -> Evaluation:
            assert given_up.wait(PATIENCE_S)
            return super().evaluate(round, clients, progress)

    class Closing(Failing):
        def close(self, reason: str) -> None:
            super().close(reason)
            given_up.set()

    given_up = threading.Event()
    world = World(tmp_path, Closing(JOINED), of=TWO_ROUNDS)
    world.learning = Slow(world.folder)
    with pytest.raises(FederaBenchError, match="out of memory"):
        world.run(overlap=True)
    (record,) = world.folder.read_rounds()
    assert (record.round, record.metrics) == (1, {"accuracy": 0.1})
    assert world.header().state == "failed"
    assert not (world.folder.path / "updates" / "round-0001").exists()


def test_what_an_evaluation_raises_ends_a_run_that_trains_meanwhile(tmp_path: Path) -> None:
    class Broken(FakeLearning):
        def evaluate(self, round: int, clients: Sequence[int], progress: Callable[[float], None]) -> Evaluation:
            raise FederaBenchError("the model is broken")

    world = World(tmp_path)
    world.learning = Broken(world.folder)
    with pytest.raises(FederaBenchError, match="the model is broken"):
        world.run(overlap=True)
    assert world.folder.read_rounds() == []
