"""Integrals over samples by trapezoids, and how much of the time they stand on. Pure.

Between two samples a value is a straight line, unless they are more than ``gap_s`` apart: then nothing is known of the
time between, and it adds nothing. The first and the last sample speak for ``gap_s`` before and after them. So windows
that touch add up, wherever they are cut.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

Sample = tuple[float, float]
"""A stamp in seconds, and the value then."""

ROUNDING_S = 1e-6
"""Stamps are sums of floats: a window that is covered but for a microsecond is covered."""


class Integral(NamedTuple):
    """``total`` in the value's unit times seconds (watts: joules), over the ``covered_s`` of a window."""

    total: float
    covered_s: float


def integral(samples: Sequence[Sample], begin_s: float, end_s: float, gap_s: float) -> Integral:
    """Of the window from ``begin_s`` to ``end_s``. ``samples`` are in order of their stamps, no two at one moment."""
    total, covered_s = 0.0, 0.0
    for left, right in pairwise(_around(samples, begin_s, end_s, gap_s)):
        from_s, until_s = max(left[0], begin_s), min(right[0], end_s)
        if until_s > from_s and right[0] - left[0] <= gap_s + ROUNDING_S:
            middle = (from_s + until_s) / 2 - left[0]
            mean = left[1] + (right[1] - left[1]) * middle / (right[0] - left[0])
            total += mean * (until_s - from_s)
            covered_s += until_s - from_s
    return Integral(total, covered_s)


def has_gap(found: Integral, begin_s: float, end_s: float) -> bool:
    """Whether some of the window is not covered."""
    return found.covered_s < end_s - begin_s - ROUNDING_S


def _around(samples: Sequence[Sample], begin_s: float, end_s: float, gap_s: float) -> Iterator[Sample]:
    """The samples of the window and the next one on each side; beyond the first and the last, what they speak for."""
    if not samples:
        return
    first = bisect_right(samples, begin_s, key=_stamp) - 1
    last = bisect_left(samples, end_s, key=_stamp)
    if first < 0:
        yield samples[0][0] - gap_s, samples[0][1]
    yield from samples[max(0, first) : last + 1]
    if last >= len(samples):
        yield samples[-1][0] + gap_s, samples[-1][1]


def _stamp(sample: Sample) -> float:
    return sample[0]
