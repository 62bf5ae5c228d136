"""The tables of a report, from runs: what people read (rows of text) and what programs read (records of raw values)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis import energy, stats, targets, units
from analysis.devices import devices_table
from analysis.energy_tables import energies_to_targets, energy_rails
from analysis.goals import goal_of, goals_of
from analysis.link_tables import link_rates, transfers
from analysis.load import Run
from analysis.methods import contenders, is_reference, ranked_places
from analysis.partitions import partition_table
from analysis.rendering import Column, Record, Table
from analysis.rows import named, number
from analysis.targets import Crossing
from harness.profiles import TargetProfile
from harness.records import Parameters

TIME_TO_TARGET = "time-to-target"
NOTHING = "none"
"""In a cell of what there is none of: bytes of a reference, epsilon without noise."""


def clock_words(runs: Sequence[Run]) -> str:
    """Which clock the seconds are of; those of a virtual fleet are of its profiles, not measured."""
    clocks = list(dict.fromkeys(clock_of(run) for run in contenders(runs)))
    between = "; " if any("," in clock for clock in clocks) else ", "
    return f"clock: {clocks[0]}" if len(clocks) == 1 else f"clocks differ: {between.join(clocks)}"


def clock_of(run: Run) -> str:
    """The clock of a run; of a virtual fleet with the profiles that its seconds are of."""
    clock, profile = run.header.clock or "not started", run.experiment
    if not profile.virtual:
        return clock
    return f"{clock}, virtual: device {profile.device.name}, link {profile.link.name}"


def time_to_target(runs: Sequence[Run], place: int = 0) -> Table:
    """Time to each fraction of the target, with the round in parentheses and the payload until then. One row a run.

    ``place`` chooses among the targets of the profile; runs that have none there have no row.
    """
    goal = goal_of(runs, place)
    reached = goal.crossings()
    clock = units.legible_time_unit(c.elapsed_s for row in reached for c in row if c)
    joules = [_to_last(run, row) for run, row in zip(goal.runs, reached, strict=True)]
    joule, spending = units.energy_unit(joules), any(energy.is_measured(run) for run in goal.runs)
    totals = [None if is_reference(run) else targets.payload_bytes(run.rounds) for run in goal.runs]
    whole = units.byte_unit(totals)
    sizes = [row[-1].payload_bytes for row, total in zip(reached, totals, strict=True) if row[-1] and total is not None]
    size = units.byte_unit(sizes or totals)
    columns = (
        Column("method", numeric=False),
        *(Column(f"{units.percent(fraction)}, {clock.symbol} (round)") for fraction in goal.fractions),
        Column(f"{size.symbol} to {units.percent(goal.fractions[-1])}"),
        *([Column(f"{joule.symbol} to {units.percent(goal.fractions[-1])}")] if spending else []),
        Column(f"{whole.symbol} in all", extra=True),
        Column(f"best {'metric' if len(goal.metrics) > 1 else goal.metric_words}"),
        Column("adapter"),
        Column("head"),
    )
    rows = tuple(
        (
            label,
            *(f"{clock.number(c.elapsed_s)} ({c.round})" if c else units.NOT_REACHED for c in row),
            _bytes_to_last(row, total, size),
            *([joule.number(spent_j) if row[-1] else units.NOT_REACHED] if spending else []),
            whole.number(total, NOTHING),
            units.metric(targets.best_metric(run.rounds, target.metric)),
            *_parameters(run.header.parameters),
        )
        for label, run, target, row, spent_j, total in zip(
            goal.labels, goal.runs, goal.targets, reached, joules, totals, strict=True
        )
    )
    records = tuple(
        _target_record(run, target, goal.fractions, row)
        for run, target, row in zip(goal.runs, goal.targets, reached, strict=True)
    )
    return Table(
        name=f"{TIME_TO_TARGET}{goal.suffix}",
        title=f"Time to {units.listing(units.percent(f) for f in goal.fractions)} of {goal.words}",
        note=f"{clock_words(goal.runs)}. Payload of all clients, up + down. Adapter and head: trained parameters. "
        f"{units.NOT_REACHED}: not reached.",
        columns=columns,
        rows=rows,
        records=records,
        never=frozenset(key for record in records for key in record if key.startswith("to_") and key[-2:] != "_j"),
        best=_fastest(reached, goal.runs, first_column=1),
    )


def times_to_targets(runs: Sequence[Run]) -> tuple[Table, ...]:
    """A time-to-target table for each target, the first first."""
    return tuple(time_to_target(runs, place) for place in range(len(goals_of(runs))))


def round_phases(runs: Sequence[Run]) -> Table:
    """Seconds of a round by phase, medians over a run's rounds; SVD and shipping, which are paid once, apart."""
    fields = ("round_s", "train_s", "communication_s", "load_s", "aggregate_s", "wait_s", "other_s", "wall_s")
    heads = ("round", "train", "communication", "load", "aggregate", "wait", "other", "wall")
    medians = [stats.round_medians(run.rounds) for run in runs]
    second = units.Unit("s", 1, 3)
    values: list[Record] = [
        {name: getattr(row, name) if row else None for name in fields}
        | {"svd_s": run.header.svd_s, "ship_s": run.header.ship_s, "provision_s": run.header.provision_s}
        for run, row in zip(runs, medians, strict=True)
    ]
    order = ("train_s", "communication_s", *fields[3:7], "round_s", "wall_s", "svd_s", "ship_s", "provision_s")
    headings = dict(zip(fields, heads, strict=True)) | {"svd_s": "SVD, once", "ship_s": "ship, once"}
    headings["provision_s"] = "provision, not counted"
    return Table(
        name="round-phases",
        title="Seconds per round",
        note=f"{clock_words(runs)}. Medians over rounds, each phase on its own; communication is download + upload"
        f"{_wall_words(runs)}.",
        columns=(
            Column("method", numeric=False),
            Column("rounds"),
            *(Column(headings[name], extra=name == "provision_s") for name in order),
        ),
        rows=tuple(
            (label, units.count(len(run.rounds)), *(second.number(number(row[name])) for name in order))
            for label, run, row in zip(stats.labels(runs), runs, values, strict=True)
        ),
        records=tuple(
            named(run) | {"rounds": len(run.rounds)} | {name: row[name] for name in order}
            for run, row in zip(runs, values, strict=True)
        ),
    )


def _wall_words(runs: Sequence[Run]) -> str:
    """What the wall's seconds are: a virtual fleet has a clock, but no wall."""
    if all(run.experiment.virtual for run in runs):
        return ", wall a round on the virtual clock"
    return ", wall what a round of all its clients took on these agents"


def failures(runs: Sequence[Run]) -> Table:
    """Clients that did not complete their round, one row each."""
    found = [
        (label, run, record.round, failure)
        for label, run in zip(stats.labels(runs), runs, strict=True)
        for record in run.rounds
        for failure in record.failed
    ]
    return Table(
        name="failures",
        title="Clients that did not complete a round",
        note="One row for each failed client of a round.",
        columns=(
            Column("method", numeric=False),
            Column("round"),
            Column("client"),
            Column("agent", numeric=False),
            Column("reason", numeric=False),
        ),
        rows=tuple((label, str(n), str(f.client), f.agent, f.reason) for label, _, n, f in found),
        records=tuple(
            named(run) | {"round": n, "client": f.client, "agent": f.agent, "reason": f.reason}
            for _, run, n, f in found
        ),
    )


def all_tables(runs: Sequence[Run]) -> tuple[Table, ...]:
    """Every table, in the order of a report."""
    return (
        *times_to_targets(runs),
        *energies_to_targets(runs),
        energy_rails(runs),
        round_phases(runs),
        transfers(runs),
        link_rates(runs),
        failures(runs),
        partition_table(runs),
        devices_table(runs),
    )


def _parameters(parameters: Parameters | None) -> tuple[str, str]:
    if parameters is None:
        return units.NOT_MEASURED, units.NOT_MEASURED
    return units.count(parameters.adapter), units.count(parameters.head)


def _target_record(
    run: Run, target: TargetProfile, fractions: Sequence[float], row: Sequence[Crossing | None]
) -> Record:
    parameters = run.header.parameters
    record = named(run) | {
        "state": run.header.state,
        "clock": run.header.clock,
        "rounds": len(run.rounds),
        "adapter_parameters": parameters.adapter if parameters else None,
        "head_parameters": parameters.head if parameters else None,
        "metric": target.metric,
        "target": target.value,
        "best": targets.best_metric(run.rounds, target.metric),
    }
    for fraction, crossing in zip(fractions, row, strict=True):
        key = f"to_{fraction * 100:g}"
        record[f"{key}_s"] = crossing.elapsed_s if crossing else None
        record[f"{key}_round"] = crossing.round if crossing else None
        record[f"{key}_bytes"] = (0 if is_reference(run) else crossing.payload_bytes) if crossing else None
        record[f"{key}_j"] = energy.spent(run, crossing.round).devices_j if crossing else math.inf
    return record | {"payload_bytes": 0 if is_reference(run) else targets.payload_bytes(run.rounds)}


def _to_last(run: Run, row: Sequence[Crossing | None]) -> float | None:
    """Joules of the devices to the highest fraction; None where it was not reached, or they were not measured."""
    return energy.spent(run, row[-1].round).devices_j if row[-1] else None


def _bytes_to_last(row: Sequence[Crossing | None], total: int | None, size: units.Unit) -> str:
    """Bytes to the highest fraction; none of a reference, of which nothing travels."""
    if total is None:
        return NOTHING
    return size.number(row[-1].payload_bytes) if row[-1] else units.NOT_REACHED


def _fastest(
    reached: Sequence[Sequence[Crossing | None]], runs: Sequence[Run], first_column: int
) -> frozenset[tuple[int, int]]:
    """Cells of the shortest time in each column of crossings; equal times share the honour, references have none."""
    best: set[tuple[int, int]] = set()
    for column, crossed in enumerate(zip(*reached, strict=True)):
        times_s = {row: crossing.elapsed_s for row in ranked_places(runs) if (crossing := crossed[row])}
        best |= {(row, first_column + column) for row, time_s in times_s.items() if time_s == min(times_s.values())}
    return frozenset(best)
