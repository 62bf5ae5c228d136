"""What is wrong with samples: a value that stopped, an answer that is old, a sensor that is off. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter

from harness.sensors.fields import OFFLINE, UPTIME, is_temperature, rail_of
from harness.sensors.integral import Sample
from harness.sensors.series import Series

FROZEN_S = 10.0
"""A rail whose millivolts times milliamperes stay the same for so long is not believed. The sensor's steps are 8 mV and
some milliamperes; the load of a board at work moves by more. Never held against a board."""


def frozen(samples: Sequence[Sample], begin_s: float, end_s: float) -> bool:
    """Whether a rail stood still for :data:`FROZEN_S` or longer, and for half of the window or as long within it.

    ``samples`` begin at least :data:`FROZEN_S` before the window: a short window alone could not tell.
    """
    enough_s = min(FROZEN_S, (end_s - begin_s) / 2)
    return any(
        until_s - from_s >= FROZEN_S and min(until_s, end_s) - max(from_s, begin_s) >= enough_s
        for from_s, until_s in _standing(samples)
    )


def stale(series: Series, begin_s: float, end_s: float) -> bool:
    """Whether the service behind a sampler gave an old answer again; only jetson-stats can."""
    answers = series.raw(UPTIME, begin_s, end_s)
    return any(right[1] <= left[1] and begin_s <= right[0] <= end_s for left, right in pairwise(answers))


def went_off(series: Series, begin_s: float, end_s: float) -> bool:
    """Whether a rail said in the window that it is off, or a temperature did that was measured before.

    A thermal zone that is off all the time belongs to a part that has no power, and is no fault.
    """
    return any(_off(series, field, begin_s, end_s) for field in series.layout.fields)


def _off(series: Series, field: str, begin_s: float, end_s: float) -> bool:
    if not (rail_of(field) or is_temperature(field)):
        return False
    inside = [value for at_s, value in series.raw(field, begin_s, end_s) if begin_s <= at_s <= end_s]
    return OFFLINE in inside and bool(rail_of(field) or series.values(field, begin_s, end_s))


def _standing(samples: Sequence[Sample]) -> Iterator[tuple[float, float]]:
    """From when until when the value stayed the same."""
    for _, same in groupby(samples, key=itemgetter(1)):
        first, *others = same
        yield first[0], (others or [first])[-1][0]
