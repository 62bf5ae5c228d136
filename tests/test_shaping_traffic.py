"""Which packets go through which class: of the controller's port, of heartbeats, of everything else, and over IPv6."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from link_ends import BEAT_PORT, CABLE, CONTROLLER, PORT
from shaping_stage import Machines, flow

from harness.links.kernel import BEAT_CLASS, FREE_CLASS
from harness.profiles import RateProfile
from harness.shaping import Shaper
from harness.shaping.reading import classes_of

CONTROLLER_IPV6, AGENT_IPV6 = "fd78::1", "fd78::2"
SIZE_BYTES = 200_000
FLOW_CLASS = "fedb:10"
ANSWER = """
import socket, sys
from harness.shaping.ends import answer
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.create_server((sys.argv[1], int(sys.argv[2])), family=family) as listener:
    print("listens", flush=True)
    answer(listener)
"""
ASK = "import sys; from harness.shaping.ends import ask; ask((sys.argv[1], int(sys.argv[2])), 'up', int(sys.argv[3]))"


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with Machines(tmp_path) as made:
        for at, address in (("controller", CONTROLLER_IPV6), ("agent", AGENT_IPV6)):
            made.run(at, "ip", "address", "add", f"{address}/64", "dev", CABLE, "nodad")
        made.helper("agent")
        yield made


@pytest.fixture
def shaper(machines: Machines) -> Iterator[Shaper]:
    with machines.shaper("agent") as made:
        yield made


def sent(machines: Machines, address: str, port: int) -> dict[str, int]:
    """Send to an address and port; the classes that carried most of it, with their bytes."""
    near = machines.start("controller", sys.executable, "-c", ANSWER, address, str(port))
    assert near.stdout is not None
    assert near.stdout.readline() == "listens\n"
    machines.run("agent", sys.executable, "-c", ASK, address, str(port), str(SIZE_BYTES))
    classes = classes_of(machines.run("agent", "tc", "-s", "class", "show", "dev", CABLE))
    return {name: one.sent_bytes for name, one in classes.items() if one.sent_bytes >= SIZE_BYTES}


def test_packets_to_the_controllers_port_are_the_flows(machines: Machines, shaper: Shaper) -> None:
    shaper.shape(flow("agent"))
    carried = sent(machines, CONTROLLER, PORT)
    assert set(carried) == {FLOW_CLASS}
    counted = shaper.counted(flow("agent"))
    assert counted.sent_bytes >= carried[FLOW_CLASS]
    assert counted.sent_packets > SIZE_BYTES // 1500
    assert counted.dropped == 0


def test_heartbeats_do_not_wait_behind_chunks(machines: Machines, shaper: Shaper) -> None:
    shaper.shape(flow("agent", rate=RateProfile(rate_mbps=0.1)))
    assert set(sent(machines, CONTROLLER, BEAT_PORT)) == {BEAT_CLASS}


def test_everything_else_is_free(machines: Machines, shaper: Shaper) -> None:
    shaper.shape(flow("agent", rate=RateProfile(rate_mbps=0.1)))
    assert set(sent(machines, CONTROLLER, 2222)) == {FREE_CLASS}


def test_ipv6_is_shaped_as_well(machines: Machines, shaper: Shaper) -> None:
    shaper.shape(flow("agent", peer=CONTROLLER_IPV6))
    assert set(sent(machines, CONTROLLER_IPV6, PORT)) == {FLOW_CLASS}
