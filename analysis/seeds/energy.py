"""Energy to a target over seeds: the median of the devices' joules with its interval; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from analysis import energy, units
from analysis.goals import Goal
from analysis.rendering import Column, Record, Table
from analysis.seeds import bootstrap
from analysis.seeds.seeded import Seeded, estimate, named

OVER_SEEDS = "seeds-energy-to-target"

Joules = tuple[float, ...] | None
"""Of each run of a group, infinity where it never got there; None: some run that did was not measured."""


def energies_over_seeds(goal: Goal, seeded: Sequence[Seeded]) -> tuple[Table, ...]:
    """Energy of the devices to each fraction over seeds, one row a group; no table where no joule was measured."""
    if not any(energy.is_measured(run) for run in goal.runs):
        return ()
    cells = [[_joules(each, fraction) for fraction in goal.fractions] for each in seeded]
    joule = units.energy_unit(value for row in cells for cell in row for value in cell or () if math.isfinite(value))
    table = Table(
        name=f"{OVER_SEEDS}{goal.suffix}",
        title=f"Energy to {units.listing(units.percent(f) for f in goal.fractions)} of {goal.words} over seeds",
        note="Energy of the devices, without the server's. Median over runs, where one that never reached the fraction "
        f"counts as more than all that did ({units.NOT_REACHED}: at least half did not); 95 % interval: percentile "
        f"bootstrap over runs. {units.NOT_MEASURED}: a run that reached it was not measured.",
        columns=(
            Column("method", numeric=False),
            *(Column(f"{units.percent(fraction)}, {joule.symbol} [interval]") for fraction in goal.fractions),
        ),
        rows=tuple(
            (each.group.label, *(_words(cell, joule) for cell in row)) for each, row in zip(seeded, cells, strict=True)
        ),
        records=tuple(_record(each, goal.fractions, row) for each, row in zip(seeded, cells, strict=True)),
    )
    return (table,)


def _joules(seeded: Seeded, fraction: float) -> Joules:
    found: list[float] = []
    for run, crossing in zip(seeded.group.runs, seeded.crossings(fraction), strict=True):
        joules = energy.spent(run, crossing.round).devices_j if crossing else math.inf
        if joules is None:
            return None
        found.append(joules)
    return tuple(found)


def _words(joules: Joules, unit: units.Unit) -> str:
    if joules is None:
        return units.NOT_MEASURED
    return estimate(median(joules), bootstrap.median_interval(joules), unit)


def _record(each: Seeded, fractions: Sequence[float], row: Sequence[Joules]) -> Record:
    record = named(each.group)
    for fraction, joules in zip(fractions, row, strict=True):
        key = f"to_{fraction * 100:g}"
        interval = bootstrap.median_interval(joules) if joules else None
        record[f"{key}_median_j"] = median(joules) if joules else None
        record[f"{key}_low_j"] = interval.low if interval else None
        record[f"{key}_high_j"] = interval.high if interval else None
    return record
