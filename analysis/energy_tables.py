"""Tables of energy: joules to each fraction of a target, and where they went. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis import energy, stats, units
from analysis.energy import Spent
from analysis.goals import Goal, goal_of, goals_of
from analysis.load import Run
from analysis.rendering import Column, Record, Table
from analysis.rows import named
from analysis.targets import Crossing

ENERGY_TO_TARGET, ENERGY_RAILS = "energy-to-target", "energy-rails"

NOTE = (
    "Energy of the devices: all updates that were aggregated, each from its task's arrival to its end. In it, idle: "
    "what the same devices take idle in these seconds. Not in it: what they take idle while they wait for the round's "
    "others, what failed attempts took, and the server's machine, which stands apart. The carrier board is in no "
    "sensor. "
    f"{units.NOT_REACHED}: not reached; {units.NOT_MEASURED}: not measured, for the reason given."
)
APART = (("idle_j", "idle, in it"), ("waiting_j", "waiting, not in it"), ("server_j", "server, not in it"))

Cell = tuple[Crossing, Spent] | None
"""A fraction that a run reached, with what was spent until then; None: it did not."""


def energies_to_targets(runs: Sequence[Run]) -> tuple[Table, ...]:
    """An energy-to-target table for each target; none where no joule was measured."""
    if not any(energy.is_measured(run) for run in runs):
        return ()
    return tuple(energy_to_target(runs, place) for place in range(len(goals_of(runs))))


def energy_to_target(runs: Sequence[Run], place: int = 0) -> Table:
    """Energy to each fraction of a target with the round in parentheses; idle, waiting, server apart. A row a run."""
    goal = goal_of(runs, place)
    cells = _cells(goal)
    totals = [energy.spent(run) for run in goal.runs]
    joule = units.energy_unit(cell[1].devices_j for row in cells for cell in row if cell)
    whole = units.energy_unit(total.devices_j for total in totals)
    last = units.percent(goal.fractions[-1])
    whys = [_why(row, total) for row, total in zip(cells, totals, strict=True)]
    columns = (
        Column("method", numeric=False),
        *(Column(f"{units.percent(fraction)}, {joule.symbol} (round)") for fraction in goal.fractions),
        *(Column(f"{words}, {joule.symbol} to {last}") for _, words in APART),
        Column(f"{whole.symbol} in all", extra=True),
        Column("least coverage", extra=True),
        Column("sensors", numeric=False, extra=True),
        *([Column("not measured, because", numeric=False)] if any(whys) else []),
    )
    rows = tuple(
        (
            label,
            *(f"{joule.number(c[1].devices_j)} ({c[0].round})" if c else units.NOT_REACHED for c in row),
            *(joule.number(getattr(row[-1][1], key)) if row[-1] else units.NOT_REACHED for key, _ in APART),
            whole.number(total.devices_j),
            _coverage(run),
            ", ".join(energy.sources(run)) or "none",
            *([why] if any(whys) else []),
        )
        for label, run, row, total, why in zip(goal.labels, goal.runs, cells, totals, whys, strict=True)
    )
    records = tuple(
        _record(run, goal.fractions, row, total, why)
        for run, row, total, why in zip(goal.runs, cells, totals, whys, strict=True)
    )
    return Table(
        name=f"{ENERGY_TO_TARGET}{goal.suffix}",
        title=f"Energy to {units.listing(units.percent(f) for f in goal.fractions)} of {goal.words}",
        note=NOTE,
        columns=columns,
        rows=rows,
        records=records,
        best=_least(cells) if len(goal.runs) > 1 else frozenset(),
    )


def energy_rails(runs: Sequence[Run]) -> Table:
    """Joules of each rail over a run's updates, one row each; no rows where no sensor has rails."""
    found = [
        (label, run, rail, joules)
        for label, run in zip(stats.labels(runs), runs, strict=True)
        for rail, joules in energy.rails_j(run).items()
    ]
    joule = units.energy_unit(joules for *_, joules in found)
    return Table(
        name=ENERGY_RAILS,
        title="Energy of each rail",
        note="All updates of a run, as the sensors name the rails. They need not sum to the energy of the devices: one "
        "rail may feed another, and is then in both.",
        columns=(
            Column("method", numeric=False),
            Column("rail", numeric=False),
            Column(f"energy, {joule.symbol}"),
            Column("per update, J"),
        ),
        rows=tuple(
            (label, rail, joule.number(joules), units.Unit("J", 1).number(_each(run, joules)))
            for label, run, rail, joules in found
        ),
        records=tuple(
            named(run) | {"rail": rail, "energy_j": joules, "update_j": _each(run, joules)}
            for _, run, rail, joules in found
        ),
    )


def _cells(goal: Goal) -> list[list[Cell]]:
    return [
        [(crossing, energy.spent(run, crossing.round)) if crossing else None for crossing in row]
        for run, row in zip(goal.runs, goal.crossings(), strict=True)
    ]


def _each(run: Run, joules: float | None) -> float | None:
    return None if joules is None else joules / len(run.clients)


def _coverage(run: Run) -> str:
    least = energy.least_coverage(run)
    return units.NOT_MEASURED if least is None else f"{100 * least:.1f} %"


def _why(row: Sequence[Cell], total: Spent) -> str:
    """Why a run's row lacks energies: the first reason."""
    return next((spent.why for spent in (*(cell[1] for cell in row if cell), total) if spent.why), "")


def _record(run: Run, fractions: Sequence[float], row: Sequence[Cell], total: Spent, why: str) -> Record:
    record = named(run)
    for fraction, cell in zip(fractions, row, strict=True):
        key = f"to_{fraction * 100:g}"
        record[f"{key}_round"] = cell[0].round if cell else math.inf
        for name in ("devices_j", *(name for name, _ in APART)):
            record[f"{key}_{name}"] = getattr(cell[1], name) if cell else math.inf
    record |= {name: getattr(total, name) for name in ("devices_j", *(name for name, _ in APART))}
    return record | {
        "least_coverage": energy.least_coverage(run),
        "sensors": ", ".join(energy.sources(run)),
        "not_measured_because": why,
    }


def _least(cells: Sequence[Sequence[Cell]]) -> frozenset[tuple[int, int]]:
    """Cells of the least energy in each column of fractions, where all that reached it were measured."""
    best = set()
    for at, column in enumerate(zip(*cells, strict=True)):
        joules = [cell[1].devices_j for cell in column if cell]
        known = [value for value in joules if value is not None]
        if known and len(known) == len(joules):
            best |= {(row, 1 + at) for row, cell in enumerate(column) if cell and cell[1].devices_j == min(known)}
    return frozenset(best)
