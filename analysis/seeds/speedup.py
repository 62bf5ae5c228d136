"""How many times as fast one method reached a target as another, over seeds; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from analysis import units
from analysis.goals import Goal
from analysis.methods import REFERENCES
from analysis.rendering import Column, Record, Table
from analysis.seeds import bootstrap
from analysis.seeds.bootstrap import Interval
from analysis.seeds.seeded import Seeded, estimate, named
from analysis.tables import clock_words

SPEED_UP = "seeds-speed-up"
MAY_DIFFER = ("methods", "seeds", "name", "description", "record")
"""Keys of a profile in which two methods that are compared may differ: their own settings, and what changes nothing."""

Pair = tuple[Seeded, Seeded]
"""A method, and the baseline that it is compared with."""

Estimated = tuple[float | None, Interval | None]
"""A speed-up and its interval; None where there is none."""


def comparable_pairs(seeded: Sequence[Seeded]) -> tuple[Pair, ...]:
    """Each method with each that stands before it, as (method, baseline), where all but their own settings is alike."""
    return tuple(
        (method, baseline)
        for place, method in enumerate(seeded)
        for baseline in seeded[:place]
        if method.group.method != baseline.group.method
        and not {method.group.method, baseline.group.method} & {*REFERENCES}
        and _conditions(method) == _conditions(baseline)
    )


def speed_ups(goal: Goal, pairs: Sequence[Pair]) -> Table:
    """How many times as fast each method is as each baseline: the ratio of their medians, one row a pair."""
    found = [[_speed_up(method, baseline, fraction) for fraction in goal.fractions] for method, baseline in pairs]
    times = units.Unit("", 1)
    return Table(
        name=f"{SPEED_UP}{goal.suffix}",
        title=f"Speed-up to {units.listing(units.percent(f) for f in goal.fractions)} of {goal.words}",
        note=f"{clock_words(goal.runs)}. Median time of the baseline over that of the method, so above 1 the method is "
        f"faster; the other way round it is one over it. 95 % interval: bootstrap over "
        f"{_pairing_words(pairs)}. {units.NOT_REACHED}: a median does not exist, or no bound.",
        columns=(
            Column("method", numeric=False),
            Column("over", numeric=False),
            *(Column(f"{units.percent(fraction)} [interval]") for fraction in goal.fractions),
        ),
        rows=tuple(
            (method.group.label, baseline.group.label, *(estimate(value, interval, times) for value, interval in row))
            for (method, baseline), row in zip(pairs, found, strict=True)
        ),
        records=tuple(_record(pair, goal.fractions, row) for pair, row in zip(pairs, found, strict=True)),
    )


def is_paired(method: Seeded, baseline: Seeded) -> bool:
    """Whether both ran with the same seeds, each once: then equal seeds saw the same clients in each round."""
    return sorted(method.seeds) == sorted(baseline.seeds) and len(set(method.seeds)) == len(method.seeds)


def _conditions(seeded: Seeded) -> dict[str, Any]:
    profile = seeded.group.runs[0].header.profile
    return {key: value for key, value in profile.items() if key not in MAY_DIFFER}


def _speed_up(method: Seeded, baseline: Seeded, fraction: float) -> Estimated:
    slow, fast = _by_seed(baseline, fraction), _by_seed(method, fraction)
    interval = bootstrap.speed_up_interval(slow, fast, is_paired(method, baseline))
    return bootstrap.speed_up(slow, fast), interval


def _by_seed(seeded: Seeded, fraction: float) -> list[float]:
    return [time_s for _, time_s in sorted(zip(seeded.seeds, seeded.times(fraction), strict=True))]


def _pairing_words(pairs: Sequence[Pair]) -> str:
    alone = [f"{method.group.label} over {base.group.label}" for method, base in pairs if not is_paired(method, base)]
    if not alone:
        return "seeds, which both methods share, and with them the clients of each round"
    if len(alone) == len(pairs):
        return "the runs of each method on their own, as their seeds differ"
    return f"seeds where both methods share them, else over the runs of each on their own ({units.listing(alone)})"


def _record(pair: Pair, fractions: Sequence[float], row: Sequence[Estimated]) -> Record:
    method, baseline = pair
    record = named(method.group) | {
        "baseline": baseline.group.method,
        "baseline_label": baseline.group.label,
        "baseline_runs": len(baseline.group.runs),
        "paired": "yes" if is_paired(method, baseline) else "no",
    }
    for fraction, (value, interval) in zip(fractions, row, strict=True):
        key = f"speed_up_{fraction * 100:g}"
        record[key] = math.inf if value is None else value
        record |= {f"{key}_low": interval and interval.low, f"{key}_high": interval and interval.high}
    return record
