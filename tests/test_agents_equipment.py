"""What stands around the rounds: fake sampler, shaper and line; the machine and the doctor's process are real."""

import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent_facts import EQUIPPED, KERNEL, LOST, PROVISION, WELCOME, machine_that_is
from fake_equipment import FakeLine, FakeSampler, FakeShaper

from agents.equipment import Equipment
from agents.idle import LEAST_S, MOST_S, SETTLE_S
from agents.steps import LinkRefused
from agents.tools import Tools
from agents.unsent import EVERY_S
from harness.protocol import messages as m

NO_FINDINGS = (sys.executable, "-c", "print('[]')")


class World:
    """An agent's equipment, and all that it works with."""

    def __init__(self, examine: tuple[str, ...] = NO_FINDINGS) -> None:
        self.now_s = 100.0
        self.samplers: list[FakeSampler] = []
        self.shaper, self.line = FakeShaper(), FakeLine()
        tools = Tools(start_sampler=self._sampler, connect_shaper=self.shaper.connect, examine=examine)
        self.it = Equipment(tools, self.line, "a1", "tcp://orin:5555", lambda: self.now_s)
        self.it.came_from("10.0.0.1")
        self.it.welcomed(WELCOME)

    def _sampler(self, root: Path, hz: float) -> FakeSampler:
        self.samplers.append(FakeSampler(root, hz))
        return self.samplers[-1]

    def examined(self) -> None:
        """Wait for the doctor."""
        sampler = {sampler.fd for sampler in self.samplers}
        while fds := [fd for fd in self.it.fds if fd not in sampler]:
            self.it.tend(set(select.select(fds, [], [], 30.0)[0]), machine_that_is("provisioning"))

    def tend(self, doing: str, *, after_s: float = 0.0) -> list[m.Message]:
        """A turn of the loop; returns what was sent in it."""
        self.now_s += after_s
        sent = len(self.line.beside)
        assert self.it.tend(set(select.select(self.it.fds, [], [], 0.0)[0]), machine_that_is(doing)) == []
        return self.line.beside[sent:]

    def close(self) -> None:
        self.it.unequip()


@pytest.fixture
def make() -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def made(**options: tuple[str, ...]) -> World:
        worlds.append(World(**options))
        return worlds[-1]

    yield made
    for world in worlds:
        world.close()


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    return make()


@pytest.mark.parametrize("doing", ["provisioning", "fetching", "sending"])
def test_samples_wait_while_a_transfer_is_timed(world: World, doing: str) -> None:
    world.it.equip(EQUIPPED)
    world.samplers[0].say(1.0)
    assert world.tend(doing) == []
    told = [message for message in world.tend("training") if isinstance(message, m.Telemetry)]  # the doctor may be done
    assert [message.rows for message in told] == [((1.0, 5.0),)]


def test_samples_wait_for_a_connection(world: World) -> None:
    world.it.equip(EQUIPPED)
    world.samplers[0].say(1.0)
    machine = machine_that_is("idle")
    machine.handle(LOST)
    world.it.tend({world.samplers[0].fd}, machine)
    assert world.line.beside == []
    assert len(world.tend("idle", after_s=EVERY_S)) == 1


def test_what_was_read_up_to_the_end_of_a_task_is_sent_at_once_for_it_may_be_the_last(world: World) -> None:
    world.it.equip(EQUIPPED)
    world.samplers[0].say(1.0)
    assert len(world.tend("training")) == 1
    world.tend("sending")
    world.samplers[0].say(2.0)
    assert world.tend("sending") == []
    world.samplers[0].say(3.0)
    assert [row[0] for row in world.tend("idle")[0].rows] == [2.0, 3.0]
    world.samplers[0].say(4.0)
    assert world.tend("idle") == [], "from then on it has time"


def test_the_device_is_told_once_over_each_connection_after_the_doctor_and_the_idle_time(world: World) -> None:
    world.it.equip(EQUIPPED)
    assert world.tend("idle") == []
    world.examined()
    assert world.tend("idle") == []
    [report] = world.tend("idle", after_s=SETTLE_S + MOST_S)
    assert report.report == {
        "device": {"source": "fake", "board": "made"},
        "doctor": [],
        "shaping": None,
        "idle": {"idle_w": 5.0, "duration_s": MOST_S},
    }
    assert world.samplers[0].idles == [(100.0 + SETTLE_S, 100.0 + SETTLE_S + MOST_S)]
    assert world.tend("idle", after_s=100.0) == []
    world.line.connection = 2
    assert world.tend("training") == [report]


def test_a_task_that_comes_soon_is_not_kept_waiting_for_a_baseline(world: World) -> None:
    world.it.equip(EQUIPPED)
    world.examined()
    world.tend("idle")
    assert world.tend("fetching", after_s=SETTLE_S + LEAST_S / 2) == []
    [report] = world.tend("training")
    assert (report.report["idle"], world.samplers[0].idles) == (None, [])


def test_a_doctor_that_never_comes_back_does_not_keep_the_report(make: Callable[..., World]) -> None:
    world = make(examine=(sys.executable, "-c", "import time; time.sleep(600)"))
    world.it.equip(EQUIPPED)
    assert world.tend("training", after_s=59.0) == []
    [report] = world.tend("training", after_s=2.0)
    assert (report.report["doctor"], report.note) == (None, "the doctor did not come back")


def test_the_vitals_of_a_task_are_those_of_its_window(world: World) -> None:
    assert world.it.vitals(10.0, 20.0) is None
    world.it.equip(EQUIPPED)
    assert world.it.vitals(10.0, 20.0).energy_j == 50.0


def test_the_uplink_is_shaped_towards_where_the_controller_is_now(world: World) -> None:
    assert world.it.equip(KERNEL) == []
    [flow] = world.shaper.shaped
    assert (flow.peer, flow.port, flow.beat_port) == ("10.0.0.1", 5555, WELCOME.beat_port)
    world.it.equip(KERNEL)
    world.it.came_from("10.0.0.2")
    world.it.equip(KERNEL)
    assert [flow.peer for flow in world.shaper.shaped] == ["10.0.0.1", "10.0.0.2"]
    assert world.it.uplink_bps(20.0, 30.0) == pytest.approx(5e6)
    world.it.equip(PROVISION)
    assert world.it.uplink_bps(20.0, 30.0) is None


def test_without_the_helper_the_link_is_refused_with_its_sentence(world: World) -> None:
    world.shaper.missing = True
    assert world.it.equip(KERNEL) == [LinkRefused(at_s=100.0, reason="there is no helper; set link.shaping: user")]


def test_a_helper_that_ends_takes_the_link_with_it(world: World) -> None:
    world.it.equip(KERNEL)
    world.shaper.gone = True
    [fact] = world.it.tend(set(), machine_that_is("sending"))
    assert fact.reason.startswith("the helper for kernel shaping has ended")


def test_after_the_run_nothing_is_left_and_the_next_one_begins_anew(world: World) -> None:
    world.it.equip(EQUIPPED)
    world.examined()
    world.samplers[0].say(1.0)
    world.tend("sending")
    world.it.unequip()
    assert (world.it.fds, world.samplers[0].closed) == ([], True)
    world.it.equip(EQUIPPED)
    world.examined()
    world.tend("idle", after_s=50.0)
    assert len(world.tend("idle", after_s=SETTLE_S + MOST_S)) == 1
    assert world.samplers[1].idles == [(150.0 + SETTLE_S, 150.0 + SETTLE_S + MOST_S)]
