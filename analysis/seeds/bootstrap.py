"""Statistics of times to a target over seeds, with percentile bootstrap intervals; pure.

A run that never reached its target has the time infinity: it is later than every run that did. So a median over all
runs exists while more than half of them reached the target, whatever the others would have taken, and an interval can
be open above. Leaving such runs out instead would favour the methods that fail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median, stdev
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

BOOTSTRAP_SEED = 20_240_418
RESAMPLES = 10_000
CONFIDENCE = 0.95
FEWEST_FOR_TRIMMED_MEAN = 5

Times = npt.NDArray[np.float64]


class Interval(NamedTuple):
    """Both ends of an interval; ``high`` is infinity where there is no bound."""

    low: float
    high: float


def median_interval(times: Sequence[float]) -> Interval | None:
    """The interval of the median over runs; None for a single run, which says nothing of others.

    Runs are drawn with replacement, ``RESAMPLES`` times. The ends are medians that occurred (never between two: one
    of them may be infinity), so the interval is rather too wide than too narrow. The order of the runs does not matter.
    """
    if len(times) < 2:
        return None
    medians = np.sort(_medians(np.sort(np.asarray(times, dtype=float)), _draws(len(times), 0)))
    return _ends(medians, medians)


def speed_up(baseline: Sequence[float], method: Sequence[float]) -> float | None:
    """How many times as fast a method is as a baseline: the ratio of their medians. None where one of them has none."""
    slow_s, fast_s = median(baseline), median(method)
    return None if math.isinf(slow_s) or math.isinf(fast_s) or fast_s == 0 else slow_s / fast_s


def speed_up_interval(baseline: Sequence[float], method: Sequence[float], paired: bool) -> Interval | None:
    """The interval of :func:`speed_up`; None where one of them has a single run.

    ``paired``: both are by the same seeds in the same order, and seeds are drawn; else the runs of each on their own.
    A draw in which neither has a median decides nothing: it counts as 0 for the lower end, as infinity for the upper.

    Raises:
        ValueError: paired, and the lengths differ.
    """
    if paired and len(baseline) != len(method):
        raise ValueError(f"pairs need equally many runs, got {len(baseline)} and {len(method)}")
    if min(len(baseline), len(method)) < 2:
        return None
    if paired:
        slow, fast = np.array(sorted(zip(baseline, method, strict=True)), dtype=float).T
        drawn = (_draws(len(slow), 0),) * 2
    else:
        slow, fast = np.sort(np.asarray(baseline, dtype=float)), np.sort(np.asarray(method, dtype=float))
        drawn = (_draws(len(slow), 0), _draws(len(fast), 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = _medians(slow, drawn[0]) / _medians(fast, drawn[1])
    undecided = np.isnan(ratios)
    return _ends(np.sort(np.where(undecided, 0.0, ratios)), np.sort(np.where(undecided, math.inf, ratios)))


def trimmed_mean(times: Sequence[float]) -> float | None:
    """MLPerf's mean: without the fastest and the slowest run; None of fewer than five runs.

    One run that never reached the target is dropped as the slowest; with two of them it is infinity, as MLPerf takes
    no result of which more than one run failed.
    """
    return fmean(sorted(times)[1:-1]) if len(times) >= FEWEST_FOR_TRIMMED_MEAN else None


class Spread(NamedTuple):
    """Mean and sample standard deviation; the latter is None for a single value."""

    mean: float
    deviation: float | None


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and standard deviation of values; None of nothing. Their order does not matter."""
    if not values:
        return None
    ordered = sorted(values)
    return Spread(fmean(ordered), stdev(ordered) if len(ordered) > 1 else None)


def _draws(runs: int, stream: int) -> npt.NDArray[np.int64]:
    """Which runs each resample draws, [RESAMPLES, runs]; the same for the same number of runs and stream."""
    return np.random.default_rng((BOOTSTRAP_SEED, stream)).integers(0, runs, size=(RESAMPLES, runs))


def _medians(times: Times, drawn: npt.NDArray[np.int64]) -> Times:
    """The median of each resample, [RESAMPLES]. Half of a sum, not of a difference: infinities stay infinite."""
    ordered = np.sort(times[drawn], axis=1)
    runs = ordered.shape[1]
    return (ordered[:, (runs - 1) // 2] + ordered[:, runs // 2]) / 2


def _ends(for_low: Times, for_high: Times) -> Interval:
    """The percentiles' ends, outwards to values that occurred; both arrays are sorted."""
    last, tail = len(for_low) - 1, (1 - CONFIDENCE) / 2
    return Interval(float(for_low[math.floor(tail * last)]), float(for_high[math.ceil((1 - tail) * last)]))
