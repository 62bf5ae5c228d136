"""Whether a link keeps its profile: how much to move, and what was achieved, by the mover's clock and by the interface.

Pure. The bytes are moved by :mod:`harness.shaping.ends` over a plain TCP connection, or by agents as chunks; in both
cases the interface's own counters, which know nothing of shaping, are read before and after.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from harness.links.kernel import TCP_BYTES

Way = Literal["up", "down"]
"""Seen from the agent: up is sent by it, down comes to it."""
TOLERANCE = 0.03
IP_BYTES = {4: 20, 6: 40}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """An interface's counters at one moment (/sys/class/net/NAME/statistics). Bytes include link-layer headers."""

    rx_bytes: int
    rx_packets: int
    tx_bytes: int
    tx_packets: int


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer as a probe. Mbit/s are of payload; ``allowed_mbps`` is what the profile allowed on average.

    ``interface_bytes`` is what the interface counted in the way of the payload, headers included, and
    ``interface_mbps`` the same without headers: an estimate of the payload that asks neither shaper nor mover.
    """

    way: Way
    interface: str
    payload_bytes: int
    seconds: float
    allowed_mbps: float
    achieved_mbps: float
    interface_bytes: int
    interface_mbps: float

    @property
    def deviation(self) -> float:
        """How far what was achieved is from what was allowed, as a share of that; negative: below it."""
        return self.achieved_mbps / self.allowed_mbps - 1

    @property
    def interface_deviation(self) -> float:
        """The same by the interface's counter."""
        return self.interface_mbps / self.allowed_mbps - 1

    @property
    def kept(self) -> bool:
        """Whether both are within 3 % of the profile."""
        return max(abs(self.deviation), abs(self.interface_deviation)) <= TOLERANCE


def size_for(rate_bps: float, seconds: float) -> int:
    """How many bytes a link of this rate moves in so many seconds."""
    return max(1, round(rate_bps / 8 * seconds))


def probe_of(
    way: Way,
    interface: str,
    payload_bytes: int,
    seconds: float,
    allowed_bps: float,
    before: Reading,
    after: Reading,
    *,
    header_bytes: int = 14,
    ip_version: Literal[4, 6] = 4,
) -> Probe:
    """What a transfer of so many bytes says of its link.

    Headers are counted by packets, so it holds where packets are handed over larger than frames are (virtual Ethernet)
    as well as where each is a frame.

    Raises:
        ValueError: it took no time.
    """
    if seconds <= 0:
        raise ValueError(f"a probe takes some time, not {seconds} s")
    counted_bytes = after.tx_bytes - before.tx_bytes if way == "up" else after.rx_bytes - before.rx_bytes
    packets = after.tx_packets - before.tx_packets if way == "up" else after.rx_packets - before.rx_packets
    headers_bytes = packets * (header_bytes + IP_BYTES[ip_version] + TCP_BYTES)
    return Probe(
        way=way,
        interface=interface,
        payload_bytes=payload_bytes,
        seconds=seconds,
        allowed_mbps=allowed_bps / 1e6,
        achieved_mbps=payload_bytes * 8 / seconds / 1e6,
        interface_bytes=counted_bytes,
        interface_mbps=max(0, counted_bytes - headers_bytes) * 8 / seconds / 1e6,
    )
