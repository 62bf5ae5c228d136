"""Runs that differ by their seeds alone, with a target: their times and metrics, and the words for them; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis import stats, targets, units
from analysis.groups import Group, groups_of
from analysis.load import Run
from analysis.rendering import Record
from analysis.seeds import bootstrap
from analysis.seeds.bootstrap import Interval
from analysis.targets import Crossing
from harness.profiles import TargetProfile


@dataclass(frozen=True)
class Seeded:
    """A group of runs that differ by their seeds alone, with its target."""

    group: Group
    target: TargetProfile

    def crossings(self, fraction: float) -> tuple[Crossing | None, ...]:
        """When each run reached a fraction of the target; None: never."""
        return tuple(targets.first_crossing(run.rounds, self.target, fraction) for run in self.group.runs)

    def times(self, fraction: float) -> tuple[float, ...]:
        """Seconds of each run to a fraction of the target; infinity where it was never reached."""
        return tuple(crossing.elapsed_s if crossing else math.inf for crossing in self.crossings(fraction))

    def rounds(self, fraction: float) -> tuple[float, ...]:
        """Rounds of each run to a fraction of the target; infinity where it was never reached."""
        return tuple(crossing.round if crossing else math.inf for crossing in self.crossings(fraction))

    @property
    def bests(self) -> tuple[float, ...]:
        """The best metric of each run that was evaluated."""
        found = (targets.best_metric(run.rounds, self.target.metric) for run in self.group.runs)
        return tuple(best for best in found if best is not None)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs, in their order."""
        return tuple(run.header.seed for run in self.group.runs)


def named_groups(runs: Sequence[Run]) -> tuple[Group, ...]:
    """The groups of runs that differ by their seeds alone, named as runs are, without the seeds."""
    groups = groups_of(runs)
    names = stats.labels([group.runs[0] for group in groups], seeds=False)
    return tuple(replace(group, label=name) for group, name in zip(groups, names, strict=True))


def estimate(value: float | None, interval: Interval | None, unit: units.Unit) -> str:
    """A value with its interval: "0.17 [0.15, 0.21]"; "-" for what was not reached.

    No interval of a single run, nor one that says nothing: from infinity on, or from 0 to infinity.
    """
    text = time_words(value, unit, units.NOT_REACHED)
    if interval is None or math.isinf(interval.low) or interval == (0.0, math.inf):
        return text
    return f"{text} [{time_words(interval.low, unit)}, {time_words(interval.high, unit)}]"


def spread_words(spread: bootstrap.Spread | None) -> str:
    """A metric's mean and standard deviation: "0.8123 ± 0.0045"; the mean alone of a single run."""
    if spread is None or spread.deviation is None:
        return units.metric(spread and spread.mean)
    return f"{units.metric(spread.mean)} \N{PLUS-MINUS SIGN} {units.metric(spread.deviation)}"


def time_words(value: float | None, unit: units.Unit, none: str = units.NOT_MEASURED) -> str:
    """Seconds in a unit; "-" for infinity, ``none`` where there is no value."""
    return units.NOT_REACHED if value is not None and math.isinf(value) else unit.number(value, none)


def named(group: Group) -> Record:
    """What every record of a group starts with."""
    clocks = dict.fromkeys(run.header.clock or "not started" for run in group.runs)
    return {"method": group.method, "label": group.label, "runs": len(group.runs), "clock": ", ".join(clocks)}
