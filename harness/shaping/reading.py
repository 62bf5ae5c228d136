"""What ip and tc say, read. Pure: their output in, facts out.

Classes are read from text: their JSON is empty in iproute2 6.1, and the text has been the same for twenty years.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from harness.links.kernel import BEAT_CLASS, FREE_CLASS, HANDLE, Nic

ETHERNET_BYTES = 14
WITH_ETHERNET_HEADER = ("ether", "loopback")
INTERFACE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}\Z")
TOLERANCE = 0.01
"""tc prints rates to three digits after the unit at least."""

_CLASS = re.compile(r"^class htb (\S+) .*?\brate (\d+(?:\.\d+)?)([KMG]?)bit", re.MULTILINE)
_SENT = re.compile(r"Sent (\d+) bytes (\d+) pkt \(dropped (\d+), overlimits (\d+)")
_BACKLOG = re.compile(r"backlog (\d+)([KM]?)b")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
_BINARY = {"": 1, "K": 1024, "M": 1024**2}


class HtbClass(NamedTuple):
    """A class as ``tc -s class show`` tells of it."""

    rate_bps: float
    sent_bytes: int
    sent_packets: int
    dropped: int
    overlimits: int
    backlog_bytes: int


class Root(NamedTuple):
    """The queueing discipline at an interface's root; handle "0:" is the kernel's own choice."""

    interface: str
    kind: str
    handle: str
    default: str | None

    @property
    def ours(self) -> bool:
        """Whether it is the tree of this project."""
        return self.handle == HANDLE

    @property
    def foreign(self) -> bool:
        """Whether somebody else put it there."""
        return self.handle not in (HANDLE, "0:")


def interface_of(route_json: str) -> str | None:
    """The interface of ``ip -j route get ADDRESS``; None where it names none that can be used."""
    found = _decoded(route_json)
    name = found[0].get("dev") if found else None
    return name if isinstance(name, str) and INTERFACE_NAME.match(name) else None


def nic_of(link_json: str) -> Nic:
    """The interface of ``ip -j link show dev NAME``.

    Raises:
        ValueError: that is not what it says.
    """
    found = _decoded(link_json)
    if not found or "mtu" not in found[0]:
        raise ValueError("ip told nothing of the interface")
    header_bytes = ETHERNET_BYTES if found[0].get("link_type") in WITH_ETHERNET_HEADER else 0
    return Nic(found[0]["ifname"], found[0]["mtu"], header_bytes)


def roots_of(qdisc_json: str) -> list[Root]:
    """The root of each interface in ``tc -j qdisc show``."""
    return [
        Root(one["dev"], one["kind"], one["handle"], one.get("options", {}).get("default"))
        for one in _decoded(qdisc_json)
        if one.get("root") and "dev" in one
    ]


def classes_of(text: str) -> dict[str, HtbClass]:
    """The classes in ``tc -s class show dev NAME``, by their handles."""
    found = {}
    edges = [*(match.start() for match in _CLASS.finditer(text)), len(text)]
    for begin, end in pairwise(edges):
        part = text[begin:end]
        head, sent, backlog = _CLASS.search(part), _SENT.search(part), _BACKLOG.search(part)
        if head is None or sent is None:
            continue
        waiting_bytes = int(backlog[1]) * _BINARY[backlog[2]] if backlog else 0
        found[head[1]] = HtbClass(
            rate_bps=float(head[2]) * _UNITS[head[3]],
            sent_bytes=int(sent[1]),
            sent_packets=int(sent[2]),
            dropped=int(sent[3]),
            overlimits=int(sent[4]),
            backlog_bytes=waiting_bytes,
        )
    return found


def fault_of(root: Root | None, classes: dict[str, HtbClass], one: str, rate_bps: float) -> str | None:
    """What is missing for class ``one`` to be kept at a rate, and for all else to be free; None: nothing."""
    if root is None or not root.ours:
        return "the tree of classes is gone: somebody changed the interface"
    if root.default is None or f"{HANDLE}{int(root.default, 16):x}" != FREE_CLASS:
        return "the tree has another default class than the free one"
    missing = [name for name in (FREE_CLASS, BEAT_CLASS, one) if name not in classes]
    if missing:
        return f"class {missing[0]} is not there"
    if abs(classes[one].rate_bps - rate_bps) > TOLERANCE * rate_bps:
        return f"class {one} has a rate of {classes[one].rate_bps:.0f} bit/s, not {rate_bps:.0f}"
    return None


def filters_missing(text: str, *flows: str) -> list[str]:
    """Of these classes the ones that no filter in ``tc filter show`` leads to."""
    led_to = re.findall(r"flowid (\S+)", text)
    return [one for one in flows if one not in led_to]


def _decoded(text: str) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(text, type=list[dict[str, Any]])
    except msgspec.DecodeError:
        return []
