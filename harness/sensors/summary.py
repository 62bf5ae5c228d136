"""From the samples of a window to its vitals: energy or null, and why; heat, clocks, throttling, memory. Pure."""

from __future__ import annotations

from functools import cached_property

from harness.sensors.faults import FROZEN_S, frozen, stale, went_off
from harness.sensors.fields import CPU_HZ, GPU_HZ, MEMORY, TOTAL, is_events, is_temperature, rail_field
from harness.sensors.integral import ROUNDING_S, Integral, Sample, has_gap, integral
from harness.sensors.series import Series
from harness.vitals import Flag, Vitals

LOW_COVERAGE = 0.95
"""Below this share of the window, what its samples say is said to be doubtful."""


def vitals(series: Series, begin_s: float, end_s: float, idle_w: float | None = None) -> Vitals:
    """What ``series`` says of the time from ``begin_s`` to ``end_s`` (which is later), on the clock of its stamps."""
    window = Window(series, begin_s, end_s)
    return Vitals(
        source=series.layout.source,
        samples=window.samples,
        coverage=window.covered.covered_s / window.length_s,
        energy_j=window.energy_j,
        rails_j=window.rails_j,
        mean_w=None if window.energy_j is None else window.energy_j / window.length_s,
        peak_w=max(window.of(TOTAL), default=None),
        idle_w=idle_w,
        power_mode=series.layout.facts.get("power_mode"),
        temperature_max_c=window.hottest_c,
        cpu_mean_hz=_mean(window.of(CPU_HZ)),
        gpu_mean_hz=_mean(window.of(GPU_HZ)),
        throttle_events=window.throttle_events,
        memory_peak_bytes=max(map(int, window.of(MEMORY)), default=None),
        flags=window.flags,
    )


def mean_w(series: Series, begin_s: float, end_s: float) -> float | None:
    """The mean power of a window without a gap. A device that waits may well take the same all the time."""
    window = Window(series, begin_s, end_s)
    found = window.over(TOTAL)
    return None if end_s <= begin_s or window.has_gap(found) else found.total / window.length_s


class Window:
    """The time from ``begin_s`` to ``end_s`` of a series; each figure is computed once."""

    def __init__(self, series: Series, begin_s: float, end_s: float) -> None:
        self._series, self._layout = series, series.layout
        self._begin_s, self._end_s = begin_s, end_s
        self.length_s = end_s - begin_s

    def of(self, field: str) -> list[float]:
        """What was measured of a field."""
        return self._series.within(field, self._begin_s, self._end_s)

    def over(self, field: str) -> Integral:
        """The integral of a field."""
        measured = self._series.values(field, self._begin_s, self._end_s)
        return integral(measured, self._begin_s, self._end_s, self._layout.gap_s)

    def has_gap(self, found: Integral) -> bool:
        """Whether an integral does not stand on all of the window."""
        return has_gap(found, self._begin_s, self._end_s)

    @cached_property
    def covered(self) -> Integral:
        """Over the rows; its total is 0."""
        return integral(self._rows, self._begin_s, self._end_s, self._layout.gap_s)

    @cached_property
    def samples(self) -> int:
        """How many rows hold a reading."""
        return sum(self._begin_s <= at_s <= self._end_s for at_s, _ in self._rows)

    @cached_property
    def rails_j(self) -> dict[str, float | None]:
        """Each rail's joules; null where it misses, stood still, was off, or was not read for too long."""
        return {**dict.fromkeys(self._layout.missing), **{rail: self._rail_j(rail) for rail in self._layout.rails}}

    @cached_property
    def energy_j(self) -> float | None:
        """The sum over the rails of the total, if each of them is known."""
        values = [self.rails_j.get(rail) for rail in self._layout.total]
        there = [value for value in values if value is not None]
        return sum(there) if there and len(there) == len(values) else None

    @cached_property
    def throttle_events(self) -> int | None:
        """What the counters counted from the last reading before the window to the last one in it; null: no counter.

        One that went back was begun anew with the device, and says nothing.
        """
        counters = filter(is_events, self._layout.fields)
        counted = [count for counter in counters if (count := self._counted(counter)) is not None]
        return sum(counted) if counted and min(counted) >= 0 else None

    @cached_property
    def hottest_c(self) -> float | None:
        """The highest temperature of any zone."""
        zones = filter(is_temperature, self._layout.fields)
        return max((value for zone in zones for value in self.of(zone)), default=None)

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """Why a figure is null or doubtful, in the order in which :data:`~harness.vitals.Flag` names them."""
        told: dict[Flag, bool] = {
            "no samples": not self.samples and not self.covered.covered_s,
            "gap": self.has_gap(self.covered),
            "missing rail": bool(self._layout.missing) or any(map(self._misses, self._layout.total)),
            "frozen": bool(self._frozen),
            "stale": stale(self._series, self._begin_s, self._end_s),
            "offline sensor": went_off(self._series, self._begin_s, self._end_s),
            "throttled": bool(self.throttle_events),
            "low coverage": self.covered.covered_s < LOW_COVERAGE * self.length_s,
        }
        return tuple(flag for flag, is_so in told.items() if is_so)

    def _rail_j(self, rail: str) -> float | None:
        found = self.over(rail_field(rail))
        return None if rail in self._layout.missing or self.has_gap(found) or rail in self._frozen else found.total

    @cached_property
    def _rows(self) -> list[Sample]:
        return self._series.samples(self._begin_s, self._end_s)

    @cached_property
    def _frozen(self) -> set[str]:
        """The rails that stood still."""
        return {rail for rail in self._layout.rails if self._stood_still(rail)}

    def _stood_still(self, rail: str) -> bool:
        measured = self._series.values(rail_field(rail), self._begin_s - FROZEN_S, self._end_s)
        return frozen(measured, self._begin_s, self._end_s)

    def _misses(self, rail: str) -> bool:
        """Whether a rail was not read for too long, while others were."""
        read = self._series.raw(rail_field(rail), self._begin_s, self._end_s)
        found = integral(read, self._begin_s, self._end_s, self._layout.gap_s)
        return found.covered_s < self.covered.covered_s - ROUNDING_S

    def _counted(self, field: str) -> int | None:
        measured = self._series.values(field, self._begin_s, self._end_s)
        readings = [value for at_s, value in measured if at_s <= self._end_s]
        return int(readings[-1] - readings[0]) if len(readings) > 1 else None


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
