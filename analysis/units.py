"""Numbers as people read them: the only place, with :mod:`analysis.tables`, where a value is rounded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

NOT_REACHED = "-"
NOT_MEASURED = "n/a"
MOST_LEGIBLE = 10_000
"""Of a unit: more of it asks for a larger one."""

METRIC_NAMES = {
    "f1": "F1",
    "exact_match": "exact match",
    "f1_per_answer": "F1 per answer",
    "exact_match_per_answer": "exact match per answer",
}


@dataclass(frozen=True)
class Unit:
    """A unit that a whole table or axis shares: shown = value / ``divisor``, with ``decimals``; 3 digits if None.

    Small values get more decimals where they would have fewer than ``least_digits`` that are significant.
    """

    symbol: str
    divisor: float
    decimals: int | None = None
    least_digits: int = 0

    def number(self, value: float | None, none: str = NOT_MEASURED) -> str:
        """The value in this unit, without the unit's symbol; ``none`` where there is no value."""
        if value is None:
            return none
        scaled = value / self.divisor
        if self.decimals is None:
            return significant(scaled)
        needed = _decimals(scaled, self.least_digits) if scaled and self.least_digits else 0
        return f"{scaled:,.{max(self.decimals, needed)}f}"

    def text(self, value: float | None, none: str = NOT_MEASURED) -> str:
        """The value with its symbol."""
        return none if value is None else f"{self.number(value)} {self.symbol}"


HOUR, MINUTE = Unit("h", 3600, 2), Unit("min", 60, 2)


def time_unit(seconds: Iterable[float | None]) -> Unit:
    """Seconds, minutes or hours: one for all of the values, chosen by the longest. None is passed over."""
    longest_s = max((value for value in seconds if value is not None), default=0.0)
    if longest_s >= 7200:
        return HOUR
    return MINUTE if longest_s >= 600 else _second(longest_s)


def legible_time_unit(seconds: Iterable[float | None]) -> Unit:
    """One in which the shortest can be read too: for numbers that stand side by side, or on a logarithmic axis.

    20.3 s and 2,687.2 s rather than 0.34 min and 44.79 min; but 0.34 h and 39.65 h rather than five digits of either.
    """
    known = [value for value in seconds if value]
    unit = time_unit(known)
    for smaller, least in ((MINUTE, 0.1 * HOUR.divisor), (_second(max(known, default=0.0)), MINUTE.divisor)):
        too_small = smaller.divisor < unit.divisor and min(known) < least
        if too_small and max(known) < MOST_LEGIBLE * smaller.divisor:
            unit = smaller
    return unit


def byte_unit(values: Iterable[float | None]) -> Unit:
    """Bytes in powers of 1000: one unit for all of the values, chosen by the largest. None is passed over."""
    largest = max((value for value in values if value is not None), default=0.0)
    for symbol, divisor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if largest >= divisor:
            return Unit(symbol, divisor)
    return Unit("B", 1, 0)


def energy_unit(values: Iterable[float | None]) -> Unit:
    """Joules in powers of 1000: one unit for all of the values, chosen by the largest. None is passed over."""
    largest = max((value for value in values if value is not None), default=0.0)
    for symbol, divisor in (("MJ", 1e6), ("kJ", 1e3)):
        if largest >= divisor:
            return Unit(symbol, divisor)
    return Unit("J", 1)


MBITS = Unit("Mbit/s", 1e6)


def significant(value: float, digits: int = 3) -> str:
    """A number with three significant digits, all digits before the point kept, no exponent: 0.0409, 41.2, 12,345."""
    if value == 0:
        return "0"
    return f"{value:,.{_decimals(value, digits)}f}"


def count(value: int) -> str:
    """A count with thousands apart: 1,179,648."""
    return f"{value:,}"


def counted(number: int, thing: str, things: str | None = None) -> str:
    """A count and its noun: 1 round, 3 rounds."""
    return f"{count(number)} {thing if number == 1 else things or thing + 's'}"


def percent(fraction: float) -> str:
    """A fraction as percent: 0.995 is 99.5 %."""
    return f"{fraction * 100:g} %"


def metric(value: float | None) -> str:
    """A metric with four decimals, so that just below a threshold does not read as on it."""
    return NOT_MEASURED if value is None else f"{value:.4f}"


def metric_name(name: str) -> str:
    """A metric as people write it; one whose name is a word already stays as it is."""
    return METRIC_NAMES.get(name, name)


def listing(words: Iterable[str]) -> str:
    """Words as a sentence lists them: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _second(longest_s: float) -> Unit:
    return Unit("s", 1, 1 if longest_s >= 10 else 2)


def _decimals(value: float, digits: int) -> int:
    """The decimals that give a number so many significant digits, as far as those behind the point can."""
    if not math.isfinite(value):  # a sum of numbers that no device measures
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))
