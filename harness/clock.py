"""The run's clock: seconds since the run was opened, standing still while no controller runs."""

from __future__ import annotations

import time
from collections.abc import Callable


class RunClock:
    """Monotonic seconds of a run. A resumed run goes on at the ``at_s`` of its last recorded event."""

    def __init__(self, start_s: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._zero_s = now() - start_s

    def now_s(self) -> float:
        """Seconds since the run was opened."""
        return self._now() - self._zero_s
