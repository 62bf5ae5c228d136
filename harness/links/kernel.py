"""The plan of a link in the kernel: from a flow between an agent and its controller to tc commands, and back to bytes.

Shaped is egress, at both ends: each end limits what it sends to the other. At the interface's root stands an htb of our
own handle. All that nobody asked to shape (SSH, NTP, other programs) goes through a class without a limit, heartbeats
through one of their own, and each flow through a class with its rate. Filters match the other end's address together
with the controller's port. Of an htb whose default class does not exist everything goes unlimited and without an
error, so both free classes are made before any flow's, and looked for afterwards.

A profile's rate is that of chunks' payload. The kernel counts frames, so a class gets the rate times frame / payload of
a full TCP segment (1514 / 1448 at an MTU of 1500): headers take their share on top of the profile, not out of it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from harness.profiles import RateProfile

Port = Annotated[int, Meta(ge=1, le=65535)]
Command = tuple[str, ...]
"""The words of a tc command, without "tc" itself."""

BROADCAST = IPv4Address("255.255.255.255")
HANDLE = "fedb:"
FREE_CLASS = f"{HANDLE}1"
BEAT_CLASS = f"{HANDLE}2"
FIRST_SLOT, LAST_SLOT = 0x10, 0xFFF
"""A flow's slot is the number of its class, and of the preference of its filters."""

FREE_RATE = "32gbit"
"""Faster than the interfaces of devices, and still within the 32 bits of bytes a second of old kernels."""
CUT_RATE = "200gbit"
"""Of a queue that only cuts: faster than a processor asks it for frames, or the kernel's log would wonder at it."""
BURST_S = 0.010
"""A class may send so much of its rate at once: what a timer that is 10 ms late has to make up for."""
LEAST_BURST_BYTES = 6000
"""Four frames of an Ethernet. A frame longer than the burst (loopback's have 64 KiB) leaves, and the next one waits."""
LEAST_MBPS, MOST_MBPS = 0.001, 30_000.0
"""Rates that a class can have: tc counts whole bytes a second, and none is faster than the free class."""
QUEUE_FRAMES = 1000
TCP_BYTES = 20 + 12
"""A TCP header with its time stamps, which Linux sends by default."""


class Flow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one end sends to the other: from here to ``peer``, the IP address of the other end.

    ``at`` is this end. An agent's packets go to the controller's ``port``, the controller's come from it; likewise the
    heartbeats with ``beat_port``. ``seed`` draws the trace of a rate that changes.

    Raises:
        ValueError: the address is none, the ports are the same, or the rate is not limited.
    """

    peer: Annotated[str, Meta(max_length=64)]
    port: Port
    beat_port: Port
    at: Literal["agent", "controller"]
    rate: RateProfile
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0

    def __post_init__(self) -> None:
        address_of(self.peer)
        if self.port == self.beat_port:
            raise ValueError(f"port and beat_port are both {self.port}: heartbeats could not be told from the rest")
        if not self.rate.shaped:
            raise ValueError("a flow needs a rate to keep; without one there is nothing to shape")

    @property
    def key(self) -> tuple[str, int, str]:
        """What tells flows of one machine apart: no two may match the same packets."""
        return str(address_of(self.peer)), self.port, self.at

    def overlaps(self, other: Flow) -> bool:
        """Whether packets of one would go through the class of the other; heartbeats of both may share theirs."""
        shared = self.port in (other.port, other.beat_port) or self.beat_port == other.port
        return shared and (address_of(self.peer), self.at) == (address_of(other.peer), other.at)


class Nic(NamedTuple):
    """The network interface towards a peer: its name, MTU, and the bytes of its link-layer header."""

    name: str
    mtu_bytes: int
    header_bytes: int


def address_of(peer: str) -> IPv4Address | IPv6Address:
    """An address as packets carry it: of IPv4 written as IPv6 (::ffff:10.0.0.1) the IPv4.

    Raises:
        ValueError: it is no address, or one of a single link (fe80::...%eth0), of a group or of nobody.
    """
    address = ip_address(peer)
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise ValueError(f"{peer} is an address of one link; give one that is routed")
        address = address.ipv4_mapped or address
    if address.is_multicast or address.is_unspecified or address == BROADCAST:
        raise ValueError(f"{address} is no address of one machine; give that of the other end")
    return address


def rates_of(rate: RateProfile) -> tuple[float, ...]:
    """All the rates, or the bounds of them, in Mbit/s; none where it is not limited."""
    bounds = (rate.rate_mbps, rate.rate_min_mbps, rate.rate_max_mbps)
    return (*(mbps for mbps in bounds if mbps is not None), *rate.rates_mbps)


def frame_share(nic: Nic, peer: str) -> float:
    """How many bytes a full frame has for each byte of TCP payload in it."""
    ip_bytes = 20 if address_of(peer).version == 4 else 40
    return (nic.mtu_bytes + nic.header_bytes) / (nic.mtu_bytes - ip_bytes - TCP_BYTES)


def class_bps(payload_bps: float, nic: Nic, peer: str) -> int:
    """The rate of a class whose payload has the given one, in bit/s."""
    return round(payload_bps * frame_share(nic, peer))


def burst_bytes(rate_bps: int) -> int:
    """How much a class of this rate may send at once. With megabytes the beginning of each transfer would not be
    shaped; with less than a frame or two each late timer would cost rate."""
    return max(LEAST_BURST_BYTES, round(rate_bps / 8 * BURST_S))


def class_of(slot: int) -> str:
    """The class of a flow's slot."""
    return f"{HANDLE}{slot:x}"


def root(nic: Nic) -> list[Command]:
    """The tree that an interface has before its first flow: nothing in it is limited."""
    free = ("rate", FREE_RATE, "burst", "1mb", "cburst", "1mb", "quantum", "65536")
    return [
        ("qdisc", "add", "dev", nic.name, "root", "handle", HANDLE, "htb", "default", FREE_CLASS.removeprefix(HANDLE)),
        *(
            ("class", "add", "dev", nic.name, "parent", HANDLE, "classid", one, "htb", *free, "prio", prio)
            for one, prio in ((FREE_CLASS, "1"), (BEAT_CLASS, "0"))
        ),
    ]


def uproot(name: str) -> Command:
    """Remove all that :func:`root` and flows put on an interface; the kernel puts its default back."""
    return ("qdisc", "del", "dev", name, "root", "handle", HANDLE)


def add(flow: Flow, slot: int, payload_bps: float, nic: Nic) -> list[Command]:
    """A flow's class, its queue, and the filters of its packets and heartbeats; the tree is there."""
    return [
        _class("add", flow, slot, payload_bps, nic),
        _queue(slot, nic),
        _filter(flow, slot, nic, flow.beat_port, BEAT_CLASS),
        _filter(flow, slot, nic, flow.port, class_of(slot)),
    ]


def change(flow: Flow, slot: int, payload_bps: float, nic: Nic) -> Command:
    """Another rate for a flow's class; what it has sent ahead or saved up stays counted."""
    return _class("change", flow, slot, payload_bps, nic)


def remove(slot: int, name: str) -> list[Command]:
    """Take a flow's filters and class away."""
    return [
        ("filter", "del", "dev", name, "parent", HANDLE, "pref", str(slot)),
        ("class", "del", "dev", name, "classid", class_of(slot)),
    ]


def _class(verb: str, flow: Flow, slot: int, payload_bps: float, nic: Nic) -> Command:
    rate_bps = class_bps(payload_bps, nic, flow.peer)
    rate, burst = f"{rate_bps}bit", f"{burst_bytes(rate_bps)}b"
    # The second bucket, cburst, would otherwise hold one frame, and the timers' lateness would cost rate.
    words = ("rate", rate, "ceil", rate, "burst", burst, "cburst", burst, "quantum", "6000", "prio", "1")
    return ("class", verb, "dev", nic.name, "parent", HANDLE, "classid", class_of(slot), "htb", *words)


def _queue(slot: int, nic: Nic) -> Command:
    """A queue that cuts what TCP hands over in lumps of up to 64 KiB into frames: htb lets a whole lump go and has the
    next one pay for it, so the end of each transfer would be a lump too early. tbf is fast enough here to wait never.
    """
    frame_bytes = nic.mtu_bytes + nic.header_bytes
    size = ("burst", f"{2 * frame_bytes}b", "limit", f"{QUEUE_FRAMES * frame_bytes}b")
    return ("qdisc", "add", "dev", nic.name, "parent", class_of(slot), "tbf", "rate", CUT_RATE, *size)


def _filter(flow: Flow, slot: int, nic: Nic, port: int, to: str) -> Command:
    address = address_of(flow.peer)
    protocol, ip = ("ip", "ip") if address.version == 4 else ("ipv6", "ip6")
    end = "dport" if flow.at == "agent" else "sport"
    matches = ((ip, "dst", f"{address}/{address.max_prefixlen}"), (ip, "protocol", "6", "0xff"))
    port_match = (ip, end, str(port), "0xffff")
    words = [word for match in (*matches, port_match) for word in ("match", *match)]
    where = ("dev", nic.name, "parent", HANDLE, "protocol", protocol, "pref", str(slot))
    return ("filter", "add", *where, "u32", *words, "flowid", to)
