"""Axes of time, and logarithmic ones: when values need one, and ticks that can be read; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from analysis import units
from analysis.load import Run

MOST_MARKERS = 8
"""Of a line on a logarithmic axis, where those of its last rounds would else cover each other."""
FAR_APART = 20.0
"""The greatest over the least, from which on an axis is logarithmic."""


def far_apart(values: Sequence[float]) -> bool:
    """Whether values are all above 0 and too far apart for a linear axis."""
    return len(values) > 1 and min(values) > 0 and max(values) > FAR_APART * min(values)


def time_axis(runs: Sequence[Run]) -> tuple[units.Unit, dict[str, Any]]:
    """The unit of time of an axis of whole runs, and what makes it one.

    It is logarithmic where they end far apart: a linear one would squeeze the fast methods into its first pixels.
    """
    elapsed = [[record.elapsed_s for record in run.rounds] for run in runs if run.rounds]
    every = [value for seconds in elapsed for value in seconds]
    if not far_apart([seconds[-1] for seconds in elapsed]) or min(every) <= 0:
        return units.time_unit(every), {"rangemode": "tozero"}
    unit = units.legible_time_unit(every)
    return unit, logarithmic([value / unit.divisor for value in every])


def logarithmic(values: Sequence[float]) -> dict[str, Any]:
    """What makes an axis of these values logarithmic: ticks at 1, 2 and 5 over few decades, at powers of ten else."""
    low, high = min(values), max(values)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if high / low < 200 else (1,)
    ticks = [step * 10.0**decade for decade in range(first, last + 1) for step in steps]
    return {"type": "log", "tickvals": ticks, "ticktext": [tick_words(tick) for tick in ticks]}


def tick_words(value: float) -> str:
    """A tick's number: plain from 0.0001 to a million, a power of ten outside."""
    if 1e-4 <= value < 1e6:
        return f"{value:g}"
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = round(value / 10.0**exponent)
    return f"{'' if factor == 1 else f'{factor}·'}10<sup>{exponent}</sup>"
