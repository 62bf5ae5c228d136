"""The figures that measuring is made of: robust means and quantiles, and numbers as a profile's file shows them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

MEASURED = "measured-"
"""What the name of a measured profile begins with."""

DIGITS = 6
"""Digits of a measured number: more than any clock has, few enough to read."""

OUTLYING = 0.1
"""Of the values, so many are left out at each end of :func:`middle_mean`."""


def middle_mean(values: Iterable[float]) -> float:
    """The mean of the middle eight tenths of at least one value; of three, the one in the middle.

    A stall does not move it, as it would the mean. The median would not be moved either, but seconds are lopsided:
    what is often a little slow is slower in sum than the median says, and a run is a sum.
    """
    ordered = sorted(values)
    out = min(math.ceil(OUTLYING * len(ordered)), (len(ordered) - 1) // 2)
    return fmean(ordered[out : len(ordered) - out])


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of them lie, in [0, 1]: one of them, of no order in particular, at least one."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def significant(value: float, digits: int = DIGITS) -> float:
    """A number as the profile's file shows it, so that the file says exactly what was measured."""
    return float(f"{value:.{digits}g}")


def measured_name(name: str, longest: int = 64) -> str:
    """The name of a profile that was measured under the one of this name."""
    return (MEASURED + name.removeprefix(MEASURED))[:longest]
