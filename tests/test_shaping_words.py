"""Requests to the helper: what is none is not taken."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from harness.shaping.words import AnyRequest

FLOW = {
    "peer": "10.0.0.1",
    "port": 5555,
    "beat_port": 5556,
    "at": "agent",
    "rate": {"rate_mbps": 25},
    "seed": 1,
}


def taken(told: dict[str, Any]) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=AnyRequest)


def test_a_flow_is_taken() -> None:
    assert taken({"type": "shape", "flow": FLOW}).flow.key == ("10.0.0.1", 5555, "agent")
    assert taken({"type": "count", "peer": "::ffff:10.0.0.1", "port": 5555, "at": "agent"}).key[0] == "10.0.0.1"


@pytest.mark.parametrize(
    "changes",
    [
        {"peer": "10.0.0.1; reboot"},
        {"peer": "eth0"},
        {"port": 0},
        {"port": 65536},
        {"port": "5555"},
        {"at": "root"},
        {"seed": -1},
        {"rate": {"rate_mbps": 0}},
        {"rate": {"rate_mbps": "25; reboot"}},
        {"rate": {}},
        {"rate": {"rate_mbps": 25, "shell": "yes"}},
        {"interface": "eth0"},
    ],
    ids=str,
)
def test_what_is_no_flow_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        taken({"type": "shape", "flow": {**FLOW, **changes}})


def test_there_are_no_other_requests() -> None:
    with pytest.raises(msgspec.ValidationError):
        taken({"type": "run", "command": "reboot"})
