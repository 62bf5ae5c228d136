"""How the agent's clock and the run's are apart, by the four stamps of a heartbeat and its echo. Pure.

    agent        sent_s ------>                      ------> now_s         the agent's monotonic clock
    controller           received_s --> echoed_s                           the run's clock

The true offset lies within half of the round trip around what the stamps say, whichever of the two ways was the slower
one and however long either end held the message back (RFC 5905, section 8). So of all exchanges near a transfer the
one with the shortest round trip tells it best.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Literal

import msgspec

from harness.timeline import Offset

NEAR_S = 10.0
"""An exchange this long before or after a transfer is near it: quartz is off by half a millisecond in that time."""
RECENT = 64
"""So many exchanges are remembered for a transfer that is about to begin."""
Direction = Literal["download", "upload"]


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A heartbeat that was answered: when (the agent's clock), what its stamps say, how long it was on its way."""

    at_s: float
    offset_s: float
    rtt_s: float


def exchange_of(sent_s: float, received_s: float, echoed_s: float, now_s: float) -> Exchange | None:
    """What four stamps say; None where no clocks that go forward can have told them."""
    held_s = echoed_s - received_s
    rtt_s = (now_s - sent_s) - held_s
    offset_s = ((received_s - sent_s) + (echoed_s - now_s)) / 2
    possible = held_s >= 0 and rtt_s >= 0 and math.isfinite(offset_s) and math.isfinite(rtt_s)
    return Exchange(at_s=now_s, offset_s=offset_s, rtt_s=rtt_s) if possible else None


class _Window:
    """The best exchange near one transfer, which began at ``begin_s`` and may still be under way."""

    def __init__(self, begin_s: float) -> None:
        self._begin_s, self._end_s = begin_s, math.inf
        self.best: Exchange | None = None

    def note(self, exchange: Exchange) -> None:
        near = self._begin_s - NEAR_S <= exchange.at_s <= self._end_s + NEAR_S
        if near and (self.best is None or exchange.rtt_s < self.best.rtt_s):
            self.best = exchange

    def end(self, end_s: float) -> None:
        self._end_s = end_s


class Clocks:
    """The exchanges near the two transfers of a task. What it holds does not grow, however long a task takes."""

    def __init__(self) -> None:
        self._recent: deque[Exchange] = deque(maxlen=RECENT)
        self._windows: dict[Direction, _Window] = {}

    def compared(self, exchange: Exchange) -> None:
        """A heartbeat was answered."""
        self._recent.append(exchange)
        for window in self._windows.values():
            window.note(exchange)

    def begin(self, direction: Direction, at_s: float) -> None:
        """A transfer is about to begin."""
        window = self._windows[direction] = _Window(at_s)
        for exchange in self._recent:
            window.note(exchange)

    def end(self, direction: Direction, at_s: float) -> None:
        """It is over."""
        if direction in self._windows:
            self._windows[direction].end(at_s)

    def offset(self, direction: Direction) -> Offset | None:
        """What is known of the clocks near this transfer of the task under way."""
        window = self._windows.get(direction)
        if window is None or window.best is None:
            return None
        return Offset(offset_s=window.best.offset_s, uncertainty_s=window.best.rtt_s / 2)

    def drop(self) -> None:
        """The task is over."""
        self._windows.clear()

    def forget(self) -> None:
        """Another controller, another clock."""
        self._recent.clear()
        self._windows.clear()
