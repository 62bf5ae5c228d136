"""A machine without power sensors of its own: memory, clocks, heat and the processors' load, by psutil. No energy."""

from __future__ import annotations

from typing import Any

import psutil

from harness.sensors.board import Board
from harness.sensors.fields import CPU_HZ, MEMORY, temperature_field
from harness.sensors.pace import SLOW_HZ, gap_s
from harness.sensors.rails import Total

CPU_SHARE = "cpu_share"
"""Of all cores, 0 to 1, since the last reading."""
HOTTEST = "hottest"
MEGAHERTZ, PERCENT = 1e6, 0.01


class Host:
    """What psutil tells of this machine; what it says of itself comes from ``root``."""

    name = "psutil"
    fast: tuple[str, ...] = ()
    total = Total((), ())

    def __init__(self, root: str, hz: float) -> None:
        self._board = Board(root)
        self.slow = (temperature_field(HOTTEST), CPU_HZ, MEMORY, CPU_SHARE)
        self.gap_s = gap_s(min(hz, SLOW_HZ))

    def read_fast(self) -> list[float | None]:
        """No total."""
        return [None]

    def read_slow(self) -> list[float | None]:
        """One value for each of ``slow``; null where the machine has no such sensor."""
        memory = psutil.virtual_memory()
        return [
            hottest_c(),
            cpu_hz(),
            float(memory.total - memory.available),
            psutil.cpu_percent() * PERCENT,
        ]

    def facts(self) -> dict[str, Any]:
        """What the machine says of itself."""
        return self._board.facts()


def hottest_c() -> float | None:
    """The highest temperature that any sensor gives, in degrees Celsius."""
    found = [sensor.current for sensors in psutil.sensors_temperatures().values() for sensor in sensors]
    return max((float(value) for value in found if value is not None), default=None)


def cpu_hz() -> float | None:
    """The mean clock of all cores."""
    found = psutil.cpu_freq()
    return found.current * MEGAHERTZ if found and found.current else None
