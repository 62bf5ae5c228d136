"""Who reached a fraction of a target, when, and at what price: groups of runs, fastest first; pure.

Over seeds each number is the median of the group's runs, where a run that did not get there counts as never: a group
has a time if more than half of its runs have one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from analysis import energy, targets
from analysis.goals import Goal, goal_of
from analysis.groups import Group, groups_of
from analysis.load import Run
from analysis.methods import is_reference
from analysis.targets import Crossing
from harness.profiles import TargetProfile


@dataclass(frozen=True)
class Ranked:
    """A group's price of a fraction. None: it did not reach it, or of energy, that nobody measured, of bytes, none.

    ``reached`` of ``runs`` runs got there; ``best`` is the median of their best metrics.
    """

    label: str
    method: str
    reached: int
    runs: int
    time_s: float | None
    round: float | None
    payload_bytes: float | None
    energy_j: float | None
    best: float | None


def ranking(runs: Sequence[Run], place: int, fraction: float) -> tuple[Ranked, ...]:
    """The groups that have a target at ``place``, by their time to a fraction of it; who has none, by its best."""
    ranked = [_ranked(group, place, fraction) for group in groups_of(goal_of(runs, place).runs)]
    return tuple(sorted(ranked, key=lambda each: (_never(each.time_s), -(each.best or 0.0))))


def highest_reached(runs: Sequence[Run], place: int) -> float | None:
    """The highest fraction of a target that a group has a time to; None if none has one to any."""
    goal: Goal = goal_of(runs, place)
    reached = (f for f in reversed(goal.fractions) if ranking(runs, place, f)[0].time_s is not None)
    return next(reached, None)


def times_as_fast(first: Ranked, other: Ranked) -> float | None:
    """How many times as fast ``first`` was as ``other``; None where that is no number."""
    if first.time_s is None or other.time_s is None or first.time_s <= 0:
        return None
    return other.time_s / first.time_s


def _ranked(group: Group, place: int, fraction: float) -> Ranked:
    aims = [run.experiment.targets[place] for run in group.runs]
    crossings = [targets.first_crossing(run.rounds, aim, fraction) for run, aim in zip(group.runs, aims, strict=True)]
    spent = [_energy_j(run, crossing) for run, crossing in zip(group.runs, crossings, strict=True)]
    measured = all(joules is not None for joules, crossing in zip(spent, crossings, strict=True) if crossing)
    bests = [_best(run, aim) for run, aim in zip(group.runs, aims, strict=True)]
    return Ranked(
        label=group.label,
        method=group.method,
        reached=sum(crossing is not None for crossing in crossings),
        runs=len(group.runs),
        time_s=_median(None if crossing is None else crossing.elapsed_s for crossing in crossings),
        round=_median(None if crossing is None else crossing.round for crossing in crossings),
        payload_bytes=_median(_payload_bytes(run, c) for run, c in zip(group.runs, crossings, strict=True)),
        energy_j=_median(spent) if measured else None,
        best=median(found) if (found := [best for best in bests if best is not None]) else None,
    )


def _best(run: Run, aim: TargetProfile) -> float | None:
    return targets.best_metric(run.rounds, aim.metric)


def _payload_bytes(run: Run, crossing: Crossing | None) -> float | None:
    """Bytes up to a crossing; None of a reference, where nothing travels."""
    return None if crossing is None or is_reference(run) else crossing.payload_bytes


def _energy_j(run: Run, crossing: Crossing | None) -> float | None:
    """Joules of all rounds up to a crossing; None where one of them has none recorded."""
    if crossing is None:
        return None
    return energy.devices_joules([record for record in run.rounds if record.round <= crossing.round])


def _median(values: Iterable[float | None]) -> float | None:
    middle = median([_never(value) for value in values])
    return None if math.isinf(middle) else middle


def _never(value: float | None) -> float:
    return math.inf if value is None else value
