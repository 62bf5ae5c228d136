"""When to sample next: on a grid that does not drift; and what is too late. Pure; the caller holds the clock."""

from __future__ import annotations

import math

SLOW_HZ = 2.0
"""How often heat, clocks, counters and memory are read: they change slowly, and some cost a call to the firmware."""
GAPS = 5
"""So many intervals between two samples are a gap: fewer are a scheduler's whim."""
SHORTEST_GAP_S = 0.5


def gap_s(hz: float) -> float:
    """How far two samples may be apart, in seconds, where ``hz`` are wanted."""
    return max(SHORTEST_GAP_S, GAPS / hz)


def next_tick(start_s: float, hz: float, now_s: float) -> float:
    """The first moment after ``now_s`` that is a whole number of intervals after ``start_s``.

    A sampler that was held up leaves moments out: two samples at once would say nothing of the time between.
    """
    ticks = math.floor((now_s - start_s) * hz) + 1
    moment = start_s + ticks / hz
    return moment if moment > now_s else start_s + (ticks + 1) / hz


def every(hz: float, wanted_hz: float) -> int:
    """At every how-manieth sample to read what is wanted ``wanted_hz`` times a second; 1: at each."""
    return max(1, round(hz / wanted_hz))
