"""Series of samples made by hand, for tests of what is computed from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.sensors.fields import AT, TOTAL, rail_field
from harness.sensors.series import Layout, Series

RAILS = ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")
HZ = 10.0


def layout(*others: str, rails: Sequence[str] = RAILS, missing: Sequence[str] = ()) -> Layout:
    """Of an AGX Orin; ``others`` are fields behind those of the rails."""
    fields = (AT, TOTAL, *map(rail_field, rails), *others)
    return Layout(source="ina3221", fields=fields, total=RAILS, missing=tuple(missing), gap_s=0.5)


def sampled(
    layout: Layout,
    seconds: float,
    watts: Callable[[str, float], float | None],
    others: Callable[[float], Sequence[float | None]] = lambda at_s: (),
    but: Callable[[float], bool] = lambda at_s: False,
) -> Series:
    """From 0 s on, ten samples a second: the watts of each rail, and other fields; none at moments in ``but``."""
    series = Series(layout)
    for number in range(round(seconds * HZ) + 1):
        at_s = number / HZ
        rails = [watts(rail, at_s) for rail in layout.rails]
        there = [value for value in rails if value is not None]
        if not but(at_s):
            assert series.add((at_s, sum(there) if len(there) == len(rails) else None, *rails, *others(at_s)))
    return series


def ramp(rail: str, at_s: float) -> float:
    """A power that changes all the time: trapezoids are exact for it."""
    return 5.0 + at_s / 4
