"""What a message may be before anybody reads it: its frames, their sizes, and how many of them a second. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from harness.protocol.messages import MAX_CHUNK_BYTES, MAX_FRAMES

MAX_FRAME_BYTES = 1024 * 1024
"""libzmq closes the connection of a longer frame."""
MAX_HEAD_BYTES = 64 * 1024
MOST_REMEMBERED = 4096
"""Connections whose rates are kept; beyond it the one that was silent for longest is forgotten."""


@dataclass(frozen=True)
class Rate:
    """Messages a second in the long run, and how many at once."""

    per_s: float
    burst: float


KNOWN = Rate(per_s=20_000, burst=20_000)
"""An agent that was welcomed: with the smallest chunks, of 4 KiB, that is 650 Mbit/s."""
STRANGER = Rate(per_s=50, burst=200)
"""A connection that has not said who it is, or sends heartbeats alone."""


def fault_of(sizes_bytes: Sequence[int], max_head_bytes: int = MAX_HEAD_BYTES) -> str | None:
    """Why a message whose frames have these sizes is not to be read; None if it is."""
    if not 1 <= len(sizes_bytes) <= MAX_FRAMES:
        return "frames"
    if sizes_bytes[0] > max_head_bytes:
        return "head"
    return "payload" if any(size_bytes > MAX_CHUNK_BYTES for size_bytes in sizes_bytes[1:]) else None


@dataclass
class _Bucket:
    level: float
    filled_s: float

    def take(self, rate: Rate, now_s: float) -> bool:
        self.level = min(rate.burst, self.level + rate.per_s * (now_s - self.filled_s))
        self.filled_s = now_s
        if self.level < 1.0:
            return False
        self.level -= 1.0
        return True


class RateLimits:
    """A token bucket for each connection: tight for strangers, generous for known agents.

    ``line`` is whatever tells one connection from another. Strangers and known agents are remembered apart, so that no
    number of strangers makes a known agent a stranger.
    """

    def __init__(self, known: Rate = KNOWN, stranger: Rate = STRANGER, most: int = MOST_REMEMBERED) -> None:
        self._rates = (stranger, known)
        self._most = most
        self._strangers: OrderedDict[Hashable, _Bucket] = OrderedDict()
        self._known: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._strangers) + len(self._known)

    def known(self, line: Hashable, now_s: float) -> None:
        """This connection is one of a welcomed agent from now on."""
        if line not in self._known:
            self._strangers.pop(line, None)
            self._remember(self._known, line, _Bucket(self._rates[1].burst, now_s))

    def allow(self, line: Hashable, now_s: float) -> bool:
        """Whether one more message of this connection may be read now; it is counted if so."""
        stranger, known = self._rates
        if (bucket := self._known.get(line)) is not None:
            self._known.move_to_end(line)
            return bucket.take(known, now_s)
        if (bucket := self._strangers.get(line)) is None:
            bucket = _Bucket(stranger.burst, now_s)
            self._remember(self._strangers, line, bucket)
        self._strangers.move_to_end(line)
        return bucket.take(stranger, now_s)

    def _remember(self, where: OrderedDict[Hashable, _Bucket], line: Hashable, bucket: _Bucket) -> None:
        where[line] = bucket
        while len(where) > self._most:
            where.popitem(last=False)
