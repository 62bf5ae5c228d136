"""The targets of several runs side by side: the first of each run is one goal, the second of each the next; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analysis import stats, targets, units
from analysis.load import Run
from analysis.targets import Crossing
from harness.profiles import TargetProfile


@dataclass(frozen=True)
class Goal:
    """The targets at one ``place`` of the runs' profiles: those of ``runs``, which have one there, by their labels."""

    labels: tuple[str, ...]
    runs: tuple[Run, ...]
    targets: tuple[TargetProfile, ...]
    place: int = 0

    @property
    def suffix(self) -> str:
        """What tells the names of a goal's tables from those of others: nothing for the first, then the metric.

        It stands in names of files, so it has a metric's letters and digits alone; a second target of its metric has
        its number.
        """
        if self.place == 0:
            return ""
        words = [re.sub(r"\W+", "-", metric) for metric in self.metrics]
        before = [target for run in self.runs for target in run.experiment.targets[1 : self.place]]
        again = any(target.metric in self.metrics for target in before)
        return "-".join(["", *words, *([str(self.place + 1)] if again else [])])

    @property
    def fractions(self) -> tuple[float, ...]:
        """Every fraction that any of the targets asks for, ascending; the usual ones where none is asked for."""
        asked = {fraction for target in self.targets for fraction in target.fractions}
        return tuple(sorted(asked or TargetProfile().fractions))

    @property
    def words(self) -> str:
        """The target in words: "F1 0.8"; all of them where runs differ."""
        each = (f"{units.metric_name(target.metric)} {target.value:g}" for target in self.targets)
        return " or ".join(dict.fromkeys(each))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The targets' metrics, each once, as records name them."""
        return tuple(dict.fromkeys(target.metric for target in self.targets))

    @property
    def metric_words(self) -> str:
        """The targets' metrics as people name them."""
        return units.listing(units.metric_name(metric) for metric in self.metrics)

    @property
    def curves(self) -> frozenset[tuple[str, str]]:
        """What a figure of this goal draws: a label and a metric for each line."""
        return frozenset((label, target.metric) for label, target in zip(self.labels, self.targets, strict=True))

    def crossings(self, fractions: Sequence[float] = ()) -> tuple[tuple[Crossing | None, ...], ...]:
        """When each run reached each fraction of its own target; of ``fractions`` instead, if given."""
        return tuple(
            tuple(targets.first_crossing(run.rounds, target, fraction) for fraction in fractions or self.fractions)
            for run, target in zip(self.runs, self.targets, strict=True)
        )


def goals_of(runs: Sequence[Run]) -> tuple[Goal, ...]:
    """All goals of a report, the first first. A run with fewer targets than others is missing in the last ones."""
    return tuple(goal_of(runs, place) for place in range(max(len(run.experiment.targets) for run in runs)))


def goal_of(runs: Sequence[Run], place: int = 0) -> Goal:
    """The goal of each run's target number ``place``; 0 is the one that a single figure is about."""
    found = [
        (label, run, run.experiment.targets[place])
        for label, run in zip(stats.labels(runs), runs, strict=True)
        if place < len(run.experiment.targets)
    ]
    labels, taking_part, aims = zip(*found, strict=True)
    return Goal(labels, taking_part, aims, place)


def drawn_places(runs: Sequence[Run]) -> tuple[int, ...]:
    """The goals that need a curve figure of their own: two targets of one metric share one."""
    drawn: frozenset[tuple[str, str]] = frozenset()
    places = []
    for place, goal in enumerate(goals_of(runs)):
        if not goal.curves <= drawn:
            places.append(place)
        drawn |= goal.curves
    return tuple(places)


def drawn_together(runs: Sequence[Run], place: int) -> tuple[Goal, ...]:
    """The goals whose lines stand in the curve figure of ``place``: that one, and others of its metric."""
    curves = goal_of(runs, place).curves
    return tuple(goal for goal in goals_of(runs) if goal.curves <= curves)
