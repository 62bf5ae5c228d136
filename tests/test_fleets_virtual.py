"""A virtual fleet: trainings are real, seconds are those of the profiles, the clock goes from event to event."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from round_facts import plan
from run_folders import experiment
from small_files import files_of

from harness.clock import VirtualClock
from harness.errors import TrainerError
from harness.fleets.virtual import VirtualFleet
from harness.fleets.virtual_left import Left
from harness.fleets.virtual_seconds import VirtualSeconds
from harness.fleets.workforce import Here, OneByOne
from harness.learning.outgoing import Lean, Outgoing
from harness.learning.spec import Trained
from harness.profiles import DeviceProfile, LinkProfile, TrainSeconds
from harness.rounds.commands import AnyCommand, AssignTask, CancelTask
from harness.rounds.events import AgentJoined, AnyEvent, RunOpened, TaskFailed, UpdateReceived
from harness.rounds.machine import RoundMachine
from harness.rounds.selection import training_line
from harness.tensorfile import Layout

STEP_DEVICE = DeviceProfile(name="stepper", seconds=(TrainSeconds(step_s=1.0),))
FLAT_LINK = LinkProfile(name="flat", rate_mbps=0.000008, latency_s=0.25)  # a byte a second


class CountingTrainer:
    """Takes as many steps as its shard says; what a shard calls "broken" does not train."""

    def load(self, state: Path, shard: Path, round: int = 1) -> None:
        self.state, self.shard = state.read_bytes(), shard.read_text()

    def train(self, seed: int, round: int) -> Trained:
        if self.shard == "diverges":
            raise TrainerError("training diverged")
        if self.shard == "breaks":
            raise RuntimeError("out of memory")
        if self.shard == "misfits":
            raise ValueError("no such token")
        return Trained(samples=3, steps=int(self.shard), tokens=9, loss=0.5)

    def save(self, update: Path) -> None:
        update.write_bytes(self.state + b"!")


class Stage:
    """A fleet of two devices, a state of 4 bytes, and clients whose shards say how long they train."""

    def __init__(
        self,
        folder: Path,
        *shards: str,
        start_s: float = 0.0,
        devices: int = 2,
        device: DeviceProfile = STEP_DEVICE,
        **settings: Any,
    ) -> None:
        self.folder, self.clock = folder, VirtualClock(start_s)
        self.state = folder / "state"
        self.state.write_bytes(b"1234")
        paths = {client: folder / f"shard-{client}" for client in range(len(shards))}
        for client, text in enumerate(shards):
            paths[client].write_text(text)
        seconds = VirtualSeconds(experiment(device=device, link=FLAT_LINK, fleet="virtual"), "federa")
        self.fleet = VirtualFleet(devices, Here(OneByOne(CountingTrainer())), paths, seconds, self.clock, **settings)
        self.joined = self.fleet.wait(1.0)

    @property
    def given(self) -> Outgoing:
        return Outgoing(whole=self.state, sha256="state 1", update=Layout(()))

    def assign(self, *clients: int, attempt: int = 1, given: Outgoing | None = None) -> None:
        for client in clients:
            task = AssignTask(
                agent=f"device-{client + 1}", round=1, client=client, attempt=attempt, state_sha256="0" * 64
            )
            self.fleet.assign(task, given or self.given, seed=client, update=self.folder / f"update-{client}")

    def given_less(self, number: int) -> Outgoing:
        """State number ``number``, or less for who holds the one before."""
        lean = self.folder / "lean"
        lean.write_bytes(b"tip")
        less = Lean(path=lean, sha256="lean", since=f"state {number - 1}")
        return replace(self.given, sha256=f"state {number}", lean=less)

    def down_bytes(self, *clients: int, given: Outgoing) -> list[int]:
        """What these clients' devices fetched."""
        self.assign(*clients, given=given)
        found = [event.record for event in self.events(len(clients)) if isinstance(event, UpdateReceived)]
        return [record.download_bytes for record in sorted(found, key=lambda record: record.client)]

    def carry_out(self, orders: list[AnyCommand]) -> None:
        """What a controller would do with tasks."""
        for order in orders:
            if isinstance(order, AssignTask):
                self.fleet.assign(order, self.given, seed=0, update=self.folder / f"update-{order.client}")
            elif isinstance(order, CancelTask):
                self.fleet.cancel(order)

    def events(self, count: int, timeout_s: float = 1e9) -> list[AnyEvent]:
        found: list[AnyEvent] = []
        while len(found) < count:
            found += self.fleet.wait(timeout_s)
        return found


def test_every_device_joins_at_once_and_is_shipped_the_factors(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "1", init_bytes=10)
    assert [event.agent for event in stage.joined if isinstance(event, AgentJoined)] == ["device-1", "device-2"]
    assert [event.ship_s for event in stage.joined if isinstance(event, AgentJoined)] == [10.5, 10.5]
    assert stage.clock.now_s() == 0


def test_where_a_run_goes_on_they_join_then_and_nothing_is_shipped_where_there_is_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "1", start_s=7.0)
    assert [(event.at_s, event.ship_s) for event in stage.joined if isinstance(event, AgentJoined)] == [(7.0, 0.0)] * 2


def test_updates_come_in_the_order_in_which_devices_would_have_sent_them(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "8", "2")
    stage.assign(0, 1)
    second, first = stage.events(2)[::-1]
    assert isinstance(first, UpdateReceived)
    assert isinstance(second, UpdateReceived)
    # Down 0.5 + 4 bytes, up 0.5 + 5 bytes, a second a step.
    assert (first.record.client, first.at_s) == (1, pytest.approx(12.0))
    assert (second.record.client, second.at_s) == (0, pytest.approx(18.0))
    assert stage.clock.now_s() == second.at_s


def test_what_was_learned_is_real(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "1")
    stage.assign(0)
    (event,) = stage.events(1)
    assert (tmp_path / "update-0").read_bytes() == b"1234!"
    assert isinstance(event, UpdateReceived)
    assert (event.record.samples, event.record.steps, event.record.loss) == (3, 1, 0.5)
    assert (event.record.download_bytes, event.record.upload_bytes, event.record.wire_bytes) == (4, 5, None)


def test_a_device_fetches_less_where_it_holds_the_state_before(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "1", "1")
    assert stage.down_bytes(0, given=stage.given_less(1)) == [4], "it holds nothing yet"
    assert stage.down_bytes(0, 1, given=stage.given_less(2)) == [3, 4], "only the first of them did the round before"
    assert stage.down_bytes(0, 1, given=stage.given_less(3)) == [3, 3]
    assert (tmp_path / "update-0").read_bytes() == b"1234!", "the trainer here is given whole states"
    assert stage.down_bytes(0, 1, given=stage.given_less(5)) == [4, 4]


def test_a_device_that_was_stopped_or_failed_begins_anew(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "1", "1")
    assert stage.down_bytes(0, 1, given=stage.given_less(1)) == [4, 4]
    stage.assign(0, given=stage.given_less(2))
    stage.fleet.cancel(CancelTask(agent="device-1", round=1, client=0, attempt=1))
    (tmp_path / "shard-1").write_text("breaks")
    stage.assign(1, given=stage.given_less(2))
    assert isinstance(stage.events(1)[0], TaskFailed)
    (tmp_path / "shard-1").write_text("1")
    assert stage.down_bytes(0, 1, given=stage.given_less(2)) == [4, 4]


def test_where_a_run_goes_on_devices_hold_what_they_held(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "1", "1", left=Left(held={"device-2": "state 6"}))
    assert stage.down_bytes(0, 1, given=stage.given_less(7)) == [4, 3]


def test_what_stays_at_a_client_does_not_travel(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "1")
    stage.assign(0, given=replace(stage.given, kept_bytes=3, kept_update_bytes=2))
    (event,) = stage.events(1)
    assert isinstance(event, UpdateReceived)
    assert (event.record.download_bytes, event.record.upload_bytes) == (1, 3)
    assert event.at_s == pytest.approx(0.5 + 1 + 1 + 0.5 + 3)


def test_a_deadline_before_the_next_event_passes_first(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "8")
    stage.assign(0)
    assert stage.fleet.wait(2.0) == []  # the training itself takes no virtual time
    assert stage.clock.now_s() == 0
    assert stage.fleet.wait(2.0) == []
    assert stage.clock.now_s() == 2.0
    (event,) = stage.events(1)
    assert event.at_s == pytest.approx(18.0)


def test_a_cancelled_client_never_reports_whether_it_was_trained_or_waits(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "1", "2", "3")
    stage.assign(0, 1, 2)
    assert stage.fleet.wait(1.0) == []  # client 0 is trained
    for client in (0, 1):
        stage.fleet.cancel(CancelTask(agent=f"device-{client + 1}", round=1, client=client, attempt=1))
    (event,) = stage.events(1)
    assert isinstance(event, UpdateReceived)
    assert event.record.client == 2


def test_the_others_still_report_in_their_order_when_the_first_is_cancelled(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "1", "8", "2")
    stage.assign(0, 1, 2)
    for _ in range(3):
        assert stage.fleet.wait(1.0) == []
    stage.fleet.cancel(CancelTask(agent="device-1", round=1, client=0, attempt=1))
    assert [event.record.client for event in stage.events(2) if isinstance(event, UpdateReceived)] == [2, 1]


def test_what_comes_at_the_very_deadline_comes_before_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "8")
    stage.assign(0)
    assert stage.fleet.wait(18.0) == []
    (event,) = stage.fleet.wait(18.0)
    assert event.at_s == stage.clock.now_s() == 18.0


@pytest.mark.parametrize(
    ("device", "marks"),
    [(DeviceProfile(name="this machine"), {0: True, 1: False}), (STEP_DEVICE, {0: False, 1: False})],
    ids=["seconds measured here", "seconds of a table"],
)
def test_a_first_training_counts_as_a_warm_up_where_its_seconds_were_measured(
    tmp_path: Path, device: DeviceProfile, marks: dict[int, bool]
) -> None:
    stage = Stage(tmp_path, "1", "2", device=device)
    stage.assign(0, 1)
    records = [event.record for event in stage.events(2) if isinstance(event, UpdateReceived)]
    assert {record.client: record.warm_up for record in records} == marks


@pytest.mark.parametrize(
    ("shard", "reason"),
    [
        ("diverges", "training diverged"),
        ("breaks", "RuntimeError: out of memory"),
        ("misfits", "ValueError: no such token"),
    ],
)
def test_a_training_that_fails_is_the_client_s_failure_and_not_the_run_s(
    tmp_path: Path, shard: str, reason: str
) -> None:
    stage = Stage(tmp_path, shard, "1")
    stage.assign(0, 1, attempt=2)
    failed, done = stage.events(2)
    assert isinstance(failed, TaskFailed)
    assert (failed.client, failed.attempt, failed.reason) == (0, 2, reason)
    assert isinstance(done, UpdateReceived)


def test_a_full_disk_is_the_run_s_failure_and_no_client_s(tmp_path: Path) -> None:
    """A round would otherwise go on without the clients whose updates did not fit, and learn something else."""
    stage = Stage(tmp_path, "1")
    stage.assign(0)
    stage.state.write_bytes(bytes(20_000))
    with files_of(10_000), pytest.raises(OSError, match="too large"):
        stage.fleet.wait(1.0)


def test_while_nothing_is_to_come_the_clock_stands_still_until_somebody_wakes_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "1")
    reading, writing = os.pipe()
    os.write(writing, b".")
    assert stage.fleet.wait(100.0, [reading]) == []
    assert stage.clock.now_s() == 0
    os.close(reading)
    os.close(writing)


def test_with_over_selection_the_devices_that_are_slow_on_the_virtual_clock_are_spare(tmp_path: Path) -> None:
    """The slow ones are trained first here: what counts is the virtual clock, not who is at hand."""
    rules = plan(clients=4, clients_per_round=2, over_selection=2, agents=4, rounds=1, virtual=True)
    line = training_line(rules.cohort_seed, 1, 4, 2, 4)
    steps = {line[0]: 50, line[1]: 9, line[2]: 40, line[3]: 2}
    stage = Stage(tmp_path, *(str(steps[client]) for client in range(4)), devices=4)
    machine = RoundMachine(rules)
    orders = machine.handle(RunOpened(at_s=0.0, svd_s=0.0, state_sha256="0" * 64))
    events, seen = list(stage.joined), list[float]()
    while machine.phase != "aggregating":
        for event in events:
            seen.append(event.at_s)
            orders = machine.handle(event)
            machine.validate()
            stage.carry_out(orders)
        events = stage.fleet.wait(1e9)
    assert machine.completed == (line[3], line[1])
    assert machine.spare == tuple(sorted((line[0], line[2])))
    assert seen == sorted(seen)
    assert stage.clock.now_s() < 20  # nobody waited for the devices that take 40 and 50 steps


def test_nothing_is_told_before_all_that_were_begun_are_trained(tmp_path: Path) -> None:
    """A client that is trained here later may be done earlier by the virtual clock."""
    stage = Stage(tmp_path, "8", "2", "1")
    stage.assign(0)
    assert stage.fleet.wait(1e9) == []
    stage.assign(1, 2)
    assert [stage.fleet.wait(1e9), stage.fleet.wait(1e9)] == [[], []]
    assert [event.record.client for event in stage.events(3) if isinstance(event, UpdateReceived)] == [2, 1, 0]
