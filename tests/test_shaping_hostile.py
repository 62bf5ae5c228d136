"""Clients that mean harm, or are too many, or die: the helper stays, serves the others, and leaves nothing."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from link_ends import CABLE, CONTROLLER
from shaping_stage import Machines, flow

from harness.errors import ShapingError
from harness.profiles import RateProfile
from harness.shaping import Shaper
from harness.shaping.helper import MOST_CLIENTS

FLOW = {"peer": CONTROLLER, "port": 5555, "beat_port": 5556, "at": "agent", "rate": {"rate_mbps": 25.0}}
ABSURD: dict[str, dict[str, Any]] = {
    "an infinite rate": {"rate": {"rate_mbps": float("inf")}},
    "a rate beyond all doubles": {"rate": {"rate_mbps": 1e305}},
    "a trace with an infinite rate": {"rate": {"rates_mbps": [1.0, float("inf")]}},
    "a trace with an absurd rate": {"rate": {"rates_mbps": [1.0, 1e300]}},
    "one bit a second": {"rate": {"rate_mbps": 1e-6}},
    "no number": {"rate": {"rate_mbps": float("nan")}},
    "steps without an end": {"rate": {"rates_mbps": [1.0, 2.0], "step_s": float("inf")}},
    "a hundred thousand steps": {"rate": {"rates_mbps": [1] * 100_000}},
    "port 0": {"port": 0},
    "one port for all": {"beat_port": 5555},
    "a seed below zero": {"seed": -1},
    "a group": {"peer": "224.0.0.1"},
    "a group of IPv6": {"peer": "ff02::1"},
    "everybody": {"peer": "255.255.255.255"},
    "nobody": {"peer": "0.0.0.0"},
    "nobody of IPv6": {"peer": "::"},
    "a zone": {"peer": "fe80::1%lo"},
    "a line of the log": {"peer": "fe80::1%\nshaper WARNING a line of its own\x1b[2J"},
    "an option": {"peer": "-batch"},
}


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with Machines(tmp_path) as made:
        made.helper("agent")
        yield made


@contextmanager
def raw(machines: Machines) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(20)
        client.connect(str(machines.socket("agent")))
        yield client


def answer(client: socket.socket, asked: bytes) -> dict[str, Any]:
    client.send(asked)
    return msgspec.msgpack.decode(client.recv(100_000), type=dict[str, Any])


def deaf_for(client: socket.socket, requests: int) -> None:
    """Ask, and read nothing."""
    for _ in range(requests):
        client.send(b"\x00")


def root_of(machines: Machines) -> str:
    return machines.run("agent", "tc", "qdisc", "show", "dev", CABLE)


def test_absurd_flows_are_refused_and_leave_nothing(machines: Machines) -> None:
    with raw(machines) as client:
        for what, told in ABSURD.items():
            said = answer(client, msgspec.msgpack.encode({"type": "shape", "flow": FLOW | told}))
            assert said["type"] == "refused", what
            assert said["reason"].isprintable(), what
        assert "fedb" not in root_of(machines)
        assert answer(client, msgspec.msgpack.encode({"type": "shape", "flow": FLOW}))["type"] == "shaped"


def test_a_step_of_a_century_is_waited_for_in_parts(machines: Machines) -> None:
    with machines.shaper("agent") as shaper:
        shaper.shape(flow("agent", rate=RateProfile(rates_mbps=(10, 20), step_s=3e9)))
        shaper.counted(flow("agent"))  # the helper has waited once since


def test_requests_nested_too_deeply_are_refused(machines: Machines) -> None:
    with raw(machines) as client:
        assert answer(client, b"\x81\xa1a" + b"\x91" * 100_000)["type"] == "refused"
        assert answer(client, msgspec.msgpack.encode({"type": "check", "peer": CONTROLLER}))["type"] == "checked"


def test_nothing_that_a_client_says_makes_a_line_of_the_log(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        helper = machines.started("agent")
        with raw(machines) as client:
            answer(client, msgspec.msgpack.encode({"type": "check", "peer": CONTROLLER, "x\nFORGED\x1b[2J": 1}))
        helper.send_signal(signal.SIGTERM)
        said = helper.communicate()[1]
        assert "unknown field `x FORGED" in said
        assert "\nFORGED" not in said
        assert "\x1b" not in said


def test_a_client_that_never_reads_is_let_go(machines: Machines) -> None:
    with raw(machines) as deaf, machines.shaper("agent") as good:
        with pytest.raises(OSError, match=r"[Bb]roken pipe|reset"):
            deaf_for(deaf, 100_000)
        good.shape(flow("agent"))


def test_a_client_that_dies_in_the_middle_of_a_request_leaves_nothing(machines: Machines) -> None:
    with raw(machines) as client:
        client.send(msgspec.msgpack.encode({"type": "shape", "flow": FLOW}))
    with machines.shaper("agent") as other:
        other.check(CONTROLLER)
    assert "fedb" not in root_of(machines)


def test_half_a_connection_is_none(machines: Machines) -> None:
    with raw(machines) as client:
        assert answer(client, msgspec.msgpack.encode({"type": "shape", "flow": FLOW}))["type"] == "shaped"
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    assert "fedb" not in root_of(machines)


def test_those_who_are_too_many_are_turned_away_and_the_others_served(machines: Machines) -> None:
    with ExitStack() as many:
        first = many.enter_context(machines.shaper("agent"))
        crowd = [many.enter_context(raw(machines)) for _ in range(MOST_CLIENTS)]
        first.shape(flow("agent"))
        assert crowd[-1].recv(1) == b""
    with machines.shaper("agent") as later:
        later.check(CONTROLLER)


def test_a_heartbeats_port_cannot_be_shaped_by_another(machines: Machines) -> None:
    with machines.shaper("agent") as first, machines.shaper("agent") as second:
        first.shape(flow("agent"))
        with pytest.raises(ShapingError, match="another process shapes"):
            second.shape(flow("agent", port=5556, beat_port=7777))
        with pytest.raises(ShapingError, match="another process shapes"):
            second.shape(flow("agent", port=7777, beat_port=5555))


def test_an_interface_that_goes_does_not_keep_others_from_their_rates(machines: Machines) -> None:
    machines.run("agent", "ip", "link", "add", "other", "type", "veth", "peer", "name", "far")
    machines.run("agent", "ip", "address", "add", "10.99.0.1/30", "dev", "other")
    for name in ("other", "far"):
        machines.run("agent", "ip", "link", "set", name, "up")
    rates = RateProfile(rates_mbps=(10, 40), step_s=0.1)
    with machines.shaper("agent") as shaper:
        shaper.shape(flow("agent", peer="10.99.0.2", rate=rates))
        machines.run("agent", "ip", "link", "del", "other")
        shaper.shape(flow("agent", rate=rates))
        seen = set()
        for _ in range(2000):
            seen.add(machines.classes("agent").partition("fedb:11 ")[2].partition("rate ")[2].split()[0])
            if len(seen) > 1:
                break
        assert len(seen) == 2


def test_a_hangup_leaves_nothing_either(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        helper = machines.helper("agent")
        with machines.shaper("agent") as shaper:
            shaper.shape(flow("agent"))
            helper.send_signal(signal.SIGHUP)
            assert helper.wait() == 0
        assert "fedb" not in root_of(machines)


def test_cleaning_up_does_not_take_a_living_helpers_flows(machines: Machines) -> None:
    words = ("-m", "harness.shaper_command", "--socket", str(machines.socket("agent")), "--clean")
    with machines.shaper("agent") as shaper:
        shaper.shape(flow("agent"))
        cleaning = machines.start("agent", sys.executable, *words, stderr=subprocess.PIPE)
        assert "a helper runs at" in cleaning.communicate()[1]
        shaper.counted(flow("agent"))


def test_a_late_answer_is_not_taken_for_that_of_the_next_request() -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with far:
        near.settimeout(0.01)
        shaper = Shaper(near)
        with pytest.raises(ShapingError, match="does not answer"):
            shaper.counted(flow("agent"))
        assert shaper.lost()
        with pytest.raises(ShapingError, match="does not answer"):
            shaper.counted(flow("agent"))


def test_a_trace_that_is_longer_than_a_request_is_said_here() -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with far:
        shaper = Shaper(near)
        with pytest.raises(ShapingError, match="more rates than the helper"):
            shaper.shape(flow("agent", rate=RateProfile(rates_mbps=(1.5,) * 40_000)))
        shaper.close()
