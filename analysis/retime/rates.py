"""Time to a target as a function of the link's rate, and the rates at which two methods take equally long; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from statistics import median

from analysis.goals import Goal, goal_of, goals_of
from analysis.groups import groups_of
from analysis.load import Run
from analysis.methods import contenders
from analysis.retime.study import Study, retimed_run
from harness.profiles import LinkProfile
from harness.records import ClientRecord
from harness.retiming import Conditions, scaled_bytes, shipped_bytes_of, ships

BITS = 8  # of a byte
SEARCHED_RATES = 400
"""Two lines that cross twice between neighbours of these are not told apart."""
CLOSEST = 1e-13
"""A crossover is found to this part of its rate."""
EQUAL = 1e-12
"""Times that are apart by less than this part of them are equal: sums of the same seconds in another order."""

Line = tuple[float, float]
"""Seconds whatever the rate, and bits that take 1 / rate seconds each."""


@dataclass(frozen=True)
class RateCurve:
    """The seconds until a round of a run is over, by the rate of everybody's link, the same both ways.

    ``whole`` is what counts in any case; each of ``rounds`` has one line for each client that may be its slowest.
    """

    whole: Line
    rounds: tuple[tuple[Line, ...], ...]

    def seconds(self, rate_bps: float) -> float:
        """The seconds at a rate."""
        slowest = (max(fixed_s + bits / rate_bps for fixed_s, bits in lines) for lines in self.rounds)
        return self.whole[0] + self.whole[1] / rate_bps + sum(slowest)


def rate_curve(study: Study, run: Run, until_round: int) -> RateCurve:
    """How long a recorded run takes to the end of a round, by rate, under the other conditions of ``study``.

    A client's seconds are a line in 1 / rate: it is found by retiming over a link of the same latency without a rate.

    Raises:
        ProfileError: a device's table has no entry for what the run was timed as.
        StoreError: a round lacks the record of a client that completed it.
    """
    link = study.link(run)
    rateless = LinkProfile(name="without-a-rate", latency_s=link.latency_s, overhead_s=link.overhead_s)
    past = replace(run, rounds=tuple(record for record in run.rounds if record.round <= until_round))
    moved = retimed_run(
        past,
        Conditions(link=rateless, device=study.conditions.device, payload_factor=study.conditions.payload_factor),
    )
    clients: dict[int, list[ClientRecord]] = {}
    for client in moved.clients:
        clients.setdefault(client.round, []).append(client)
    whole_s = moved.header.init_s or 0.0
    shipped_bytes = shipped_bytes_of(run.header, run.clients) if ships(run.header) else 0
    whole_bits = float(scaled_bytes(shipped_bytes, study.conditions.payload_factor) * BITS)
    several = []
    for record in moved.rounds:
        lines = _upper(clients[record.round])
        # Beyond its slowest client a round takes aggregation, and by the wall what nothing explains.
        whole_s += record.round_s - max(client.total_s for client in clients[record.round])
        if len(lines) == 1:
            whole_s, whole_bits = whole_s + lines[0][0], whole_bits + lines[0][1]
        else:
            several.append(lines)
    return RateCurve((whole_s, whole_bits), tuple(several))


def _upper(clients: Sequence[ClientRecord]) -> tuple[Line, ...]:
    """The clients that are the slowest at some rate: with fewer bits only who takes longer in all else."""
    all_lines = [((each.download_bytes + each.upload_bytes) * float(BITS), each.total_s) for each in clients]
    upper: list[Line] = []
    for bits, fixed_s in sorted(all_lines, reverse=True):
        if not upper or fixed_s > upper[-1][0]:
            upper.append((fixed_s, bits))
    return tuple(upper)


@dataclass(frozen=True)
class MethodLine:
    """The time of a method to a fraction of a target, by rate. ``curves`` has one for each run; None: not reached.

    ``setting`` and ``variant`` are as of a group of runs.
    """

    label: str
    method: str
    curves: tuple[RateCurve | None, ...]
    setting: str = ""
    variant: int = 0

    @property
    def reached(self) -> bool:
        """Whether there is a time: more than half of the runs got there."""
        return sum(curve is not None for curve in self.curves) * 2 > len(self.curves)

    def seconds(self, rate_bps: float) -> float:
        """The seconds at a rate: over several runs their median, where one that did not get there counts as never."""
        return median(math.inf if curve is None else curve.seconds(rate_bps) for curve in self.curves)


def method_lines(study: Study, goal: Goal, fraction: float) -> tuple[MethodLine, ...]:
    """A line for each method (runs that differ by their seed alone are one), in the order of the runs.

    A reference has none beside others: nothing of it travels, so that no rate makes it faster than they are.

    Raises:
        ProfileError: a device's table has no entry for what a run was timed as.
        StoreError: a run lacks the record of a client.
    """
    compared = [id(run) for run in contenders(goal.runs)]
    curves = [
        None if crossing is None else rate_curve(study, run, crossing.round)
        for run, (crossing,) in zip(goal.runs, goal.crossings([fraction]), strict=True)
    ]
    return tuple(
        MethodLine(
            group.label, group.method, tuple(curves[place] for place in group.places), group.setting, group.variant
        )
        for group in groups_of(goal.runs)
        if id(group.runs[0]) in compared
    )


@dataclass(frozen=True)
class Crossover:
    """At ``rate_bps`` two methods take ``seconds``, both; at more than that ``faster`` is faster than ``slower``."""

    rate_bps: float
    seconds: float
    faster: str
    slower: str


def crossovers(lines: Sequence[MethodLine], low_bps: float, high_bps: float) -> tuple[Crossover, ...]:
    """Every rate between two bounds at which one method overtakes another, ascending."""
    step = math.log(high_bps / low_bps) / (SEARCHED_RATES - 1)
    rates_bps = [low_bps * math.exp(step * place) for place in range(SEARCHED_RATES)]
    seconds = [(line, [line.seconds(rate_bps) for rate_bps in rates_bps]) for line in lines if line.reached]
    found = []
    for (one, ones), (other, others) in combinations(seconds, 2):
        ahead = [(a < b, rate) for a, b, rate in zip(ones, others, rates_bps, strict=True) if abs(a - b) > EQUAL * a]
        for (before, low), (after, high) in pairwise(ahead):
            if before != after:
                found.append(_crossover(one, other, low, high))
    return tuple(sorted(found, key=lambda crossover: crossover.rate_bps))


def _crossover(one: MethodLine, other: MethodLine, low_bps: float, high_bps: float) -> Crossover:
    """Between two rates at which different ones of the two are faster: by bisection, on the rate's logarithm."""
    sooner, later = (one, other) if one.seconds(high_bps) < other.seconds(high_bps) else (other, one)
    while high_bps - low_bps > CLOSEST * high_bps:
        middle_bps = math.sqrt(low_bps * high_bps)
        if not low_bps < middle_bps < high_bps:
            break
        if sooner.seconds(middle_bps) < later.seconds(middle_bps):
            high_bps = middle_bps
        else:
            low_bps = middle_bps
    return Crossover(high_bps, sooner.seconds(high_bps), sooner.label, later.label)


@dataclass(frozen=True)
class GoalByRate:
    """One goal by rate: for each fraction the methods' lines, and where they cross.

    ``main`` is the highest of the fractions that most methods reach; None: nobody reached one.
    """

    goal: Goal
    lines: dict[float, tuple[MethodLine, ...]]
    crossovers: dict[float, tuple[Crossover, ...]]
    main: float | None


def by_rate(study: Study, range_bps: tuple[float, float]) -> tuple[GoalByRate, ...]:
    """What each goal takes at the rates of a range.

    Raises:
        ProfileError: a device's table has no entry for what a run was timed as.
        StoreError: a run lacks the record of a client.
    """
    found = []
    for place in range(len(goals_of(study.recorded))):
        goal = goal_of(study.recorded, place)
        lines = {fraction: method_lines(study, goal, fraction) for fraction in goal.fractions}
        reached = {fraction: sum(line.reached for line in lines[fraction]) for fraction in goal.fractions}
        main = max(goal.fractions, key=lambda fraction: (reached[fraction], fraction))
        crossed = {fraction: crossovers(lines[fraction], *range_bps) for fraction in goal.fractions}
        found.append(GoalByRate(goal, lines, crossed, main if reached[main] else None))
    return tuple(found)
