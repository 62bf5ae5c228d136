"""The run's clock: seconds since the run was opened, standing still while no controller runs. Real, or virtual."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """What the controller asks of a clock."""

    def now_s(self) -> float:
        """Seconds since the run was opened."""

    def spend(self, seconds: float) -> float:
        """The server worked for ``seconds``: what of it counts."""

    def aside(self, seconds: float) -> float:
        """Something was measured for ``seconds``: by how much the clock went on meanwhile."""


class RunClock:
    """Monotonic seconds of a run. A resumed run goes on at the ``at_s`` of its last recorded event."""

    def __init__(self, start_s: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._zero_s = now() - start_s

    @property
    def zero_s(self) -> float:
        """The machine's monotonic clock at the run's zero, as this controller has it."""
        return self._zero_s

    def now_s(self) -> float:
        """Seconds since the run was opened."""
        return self._now() - self._zero_s

    def spend(self, seconds: float) -> float:
        """All of it; the clock went on meanwhile."""
        return seconds

    def aside(self, seconds: float) -> float:
        """By all of it."""
        return seconds


class VirtualClock:
    """Goes on only when it is told to: by the fleet, and by what the server's work counts as.

    ``server_s`` is what each aggregation counts as, where a device profile says so; None: what it takes here.
    """

    def __init__(self, start_s: float = 0.0, server_s: float | None = None) -> None:
        self._now_s = start_s
        self._server_s = server_s

    def now_s(self) -> float:
        """Virtual seconds since the run was opened."""
        return self._now_s

    def advance_to(self, at_s: float) -> None:
        """It is ``at_s`` now. A clock never goes back."""
        self._now_s = max(self._now_s, at_s)

    def spend(self, seconds: float) -> float:
        """The clock goes on by what the work counts as."""
        counted_s = seconds if self._server_s is None else self._server_s
        self._now_s += counted_s
        return counted_s

    def aside(self, seconds: float) -> float:
        """Not at all."""
        return 0.0
