"""Flows on real interfaces of network namespaces: what is put there, what is looked for, and what is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from link_ends import CABLE, CONTROLLER
from shaping_stage import Machines, flow

from harness.errors import ShapingError
from harness.profiles import RateProfile
from harness.shaping import Shaper

FREE = "noqueue"
"""What a virtual cable has of its own."""


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with Machines(tmp_path) as made:
        made.helper("agent")
        yield made


@pytest.fixture
def shaper(machines: Machines) -> Iterator[Shaper]:
    with machines.shaper("agent") as made:
        yield made


def root_of(machines: Machines) -> str:
    return machines.run("agent", "tc", "qdisc", "show", "dev", CABLE)


def test_a_flow_is_a_class_beside_two_free_ones(machines: Machines, shaper: Shaper) -> None:
    applied = shaper.shape(flow("agent"))
    assert (applied.interface, applied.kind, applied.rate_mbps) == (CABLE, "htb", 25)
    assert applied.commands[0] == "tc qdisc add dev cable root handle fedb: htb default 1"
    shown = machines.classes("agent")
    assert "class htb fedb:10 " in shown
    assert "class htb fedb:1 " in shown
    assert "class htb fedb:2 " in shown
    assert shaper.counted(flow("agent")).sent_bytes == 0


def test_a_released_flow_leaves_others_and_the_last_one_nothing(machines: Machines, shaper: Shaper) -> None:
    first, second = flow("agent"), flow("agent", port=7777)
    shaper.shape(first)
    shaper.shape(second)
    shaper.release(first)
    assert "fedb:10 " not in machines.classes("agent")
    assert "fedb:11 " in machines.classes("agent")
    shaper.counted(second)
    shaper.release(second)
    assert FREE in root_of(machines)


def test_the_same_flow_twice_is_refused(shaper: Shaper) -> None:
    shaper.shape(flow("agent"))
    with pytest.raises(ShapingError, match=r"two agents behind one address cannot be told apart.*link\.shaping: user"):
        shaper.shape(flow("agent"))
    shaper.counted(flow("agent"))


def test_somebody_elses_queueing_is_left_alone_and_named(machines: Machines, shaper: Shaper) -> None:
    machines.run("agent", "tc", "qdisc", "add", "dev", CABLE, "root", "handle", "77:", "pfifo")
    for refused in (lambda: shaper.shape(flow("agent")), lambda: shaper.check(CONTROLLER)):
        with pytest.raises(ShapingError, match=r"cable has a queueing discipline of somebody else \(pfifo 77:\)"):
            refused()
    assert "pfifo 77:" in root_of(machines)


def test_an_address_without_a_route_is_named(shaper: Shaper) -> None:
    with pytest.raises(ShapingError, match=r"192\.0\.2\.1.*link\.shaping: user"):
        shaper.shape(flow("agent", peer="192.0.2.1"))


@pytest.mark.parametrize(
    ("taken", "missing"),
    [
        (("qdisc", "del", "dev", CABLE, "root"), "somebody changed the interface"),
        (("class", "del", "dev", CABLE, "classid", "fedb:1"), "class fedb:1 is not there"),
        (("filter", "del", "dev", CABLE, "parent", "fedb:", "pref", "16"), "no filter leads to class fedb:10"),
        (("class", "change", "dev", CABLE, "parent", "fedb:", "classid", "fedb:10", "htb", "rate", "1gbit"), "a rate"),
    ],
)
def test_what_somebody_took_away_is_noticed(
    machines: Machines, shaper: Shaper, taken: tuple[str, ...], missing: str
) -> None:
    shaper.shape(flow("agent"))
    machines.run("agent", "tc", *taken)
    with pytest.raises(ShapingError, match=missing):
        shaper.counted(flow("agent"))


def test_a_check_leaves_nothing_behind(machines: Machines, shaper: Shaper) -> None:
    assert shaper.check(CONTROLLER) == CABLE
    assert FREE in root_of(machines)
    shaper.shape(flow("agent"))
    shaper.check(CONTROLLER)
    shaper.counted(flow("agent"))


def test_a_trace_says_which_one_it_is(shaper: Shaper) -> None:
    rate = RateProfile(rates_mbps=(20, 22, 30, 27), step_s=0.2)
    applied = shaper.shape(flow("agent", rate=rate))
    assert (applied.rate_mbps, applied.step_s, applied.seed) == (None, 0.2, 7)
    assert 0 <= applied.offset < 4
    assert len(str(applied.trace_sha256)) == 64
