"""Tables of retimed runs beside the recorded ones: times to targets, crossovers, seconds of a round; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis import stats, units
from analysis.goals import Goal, goal_of, goals_of
from analysis.load import Run
from analysis.methods import is_reference, ranked_places
from analysis.rendering import Column, Record, Table
from analysis.retime.rates import Crossover
from analysis.retime.study import Study
from analysis.tables import NOTHING
from analysis.targets import Crossing

TIMES, CROSSOVERS, ROUNDS = "retimed-times", "retimed-crossovers", "retimed-rounds"

Pair = tuple[Crossing, Crossing] | None
"""When a run reached a fraction: as recorded, and retimed. It is the same round; None: never."""


def times(study: Study, place: int = 0) -> Table:
    """Seconds to each fraction of a target, recorded and retimed, with the round; bytes to the highest reached."""
    goal, after = goal_of(study.recorded, place), goal_of(study.retimed, place)
    reached = [
        tuple((one, other) if one and other else None for one, other in zip(before, later, strict=True))
        for before, later in zip(goal.crossings(), after.crossings(), strict=True)
    ]
    seconds = [crossing.elapsed_s for row in reached for pair in row if pair for crossing in pair]
    clock = units.legible_time_unit(seconds)
    clock = units.Unit(clock.symbol, clock.divisor)  # three digits: conditions are far apart
    size = units.byte_unit(pair[1].payload_bytes for row in reached for pair in row if pair)
    heads = [units.percent(fraction) for fraction in goal.fractions]
    last = max((place for row in reached for place, pair in enumerate(row) if pair), default=len(heads) - 1)
    columns = [Column("method", numeric=False)]
    for head in heads:
        columns += [Column(f"{head}, {clock.symbol}"), Column("retimed (round)")]
    rows = tuple(
        (label, *(cell for pair in row for cell in _cells(pair, clock)), _bytes(run, row[last], size))
        for label, run, row in zip(goal.labels, goal.runs, reached, strict=True)
    )
    records = tuple(
        _named(run, study) | {"metric": target.metric, "target": target.value} | _reached(goal, row)
        for run, target, row in zip(goal.runs, goal.targets, reached, strict=True)
    )
    return Table(
        name=f"{TIMES}{goal.suffix}",
        title=f"Time to {units.listing(heads)} of {goal.words}, {study.words}",
        note="First as recorded, then retimed, not trained again: a target is reached in the same round. "
        f"{size.symbol}: payload of all "
        f"clients, up + down, retimed. {units.NOT_REACHED}: not reached.",
        columns=(*columns, Column(f"{size.symbol} to {heads[last]}")),
        rows=rows,
        records=records,
        never=frozenset(key for record in records for key in record if key.startswith("to_")),
        best=_fastest(reached, ranked_places(goal.runs)),
    )


def all_times(study: Study) -> tuple[Table, ...]:
    """A table for each target, the first first."""
    return tuple(times(study, place) for place in range(len(goals_of(study.recorded))))


def crossover_table(goal: Goal, found: Mapping[float, Sequence[Crossover]]) -> Table:
    """The rates at which one method becomes faster than another, by fraction of a target."""
    listed = [(fraction, crossover) for fraction in sorted(found) for crossover in found[fraction]]
    clock = units.legible_time_unit(crossover.seconds for _, crossover in listed)
    clock = units.Unit(clock.symbol, clock.divisor)
    return Table(
        name=f"{CROSSOVERS}{goal.suffix}",
        title=f"Crossovers: the rate at which a method becomes faster than another to a fraction of {goal.words}",
        note="At this rate, the same both ways, the two take equally long; at higher rates the first is faster, at "
        "lower ones the second.",
        columns=(
            Column("faster above", numeric=False),
            Column("faster below", numeric=False),
            Column("of the target"),
            Column(f"rate, {units.MBITS.symbol}"),
            Column(f"time there, {clock.symbol}"),
        ),
        rows=tuple(
            (
                crossover.faster,
                crossover.slower,
                units.percent(fraction),
                units.significant(crossover.rate_bps / units.MBITS.divisor, 4),
                clock.number(crossover.seconds),
            )
            for fraction, crossover in listed
        ),
        records=tuple(
            {
                "metric": " or ".join(goal.metrics),
                "fraction": fraction,
                "faster_above": crossover.faster,
                "faster_below": crossover.slower,
                "rate_mbps": crossover.rate_bps / 1e6,
                "time_s": crossover.seconds,
            }
            for fraction, crossover in listed
        ),
    )


def round_seconds(study: Study) -> Table:
    """Seconds of a round, recorded and retimed: medians over a run's rounds."""
    fields = ("train_s", "communication_s", "round_s")
    records: list[Record] = []
    for before, after in zip(study.recorded, study.retimed, strict=True):
        record = _named(before, study)
        for prefix, run in (("recorded", before), ("retimed", after)):
            medians = stats.round_medians(run.rounds)
            record |= {f"{prefix}_{field}": getattr(medians, field) if medians else None for field in fields}
            record[f"{prefix}_init_s"] = run.header.init_s
        records.append(record)
    keys = [(field, prefix) for field in (*fields, "init_s") for prefix in ("recorded", "retimed")]
    heads = {"train_s": "train", "communication_s": "communication", "round_s": "round", "init_s": "once, before"}
    return Table(
        name=ROUNDS,
        title=f"Seconds per round, {study.words}",
        note="Medians over rounds, each phase on its own, of a round's slowest client; communication is download + "
        "upload. Once, before: the SVD and shipping its factors.",
        columns=(
            Column("method", numeric=False),
            *(Column(f"{heads[field]}, recorded" if prefix == "recorded" else "retimed") for field, prefix in keys),
        ),
        rows=tuple(
            (label, *(_seconds(record[f"{prefix}_{field}"]) for field, prefix in keys))
            for label, record in zip(stats.labels(study.recorded), records, strict=True)
        ),
        records=tuple(records),
    )


def _cells(pair: Pair, clock: units.Unit) -> tuple[str, str]:
    if pair is None:
        return units.NOT_REACHED, units.NOT_REACHED
    before, after = pair
    return clock.number(before.elapsed_s), f"{clock.number(after.elapsed_s)} ({after.round})"


def _bytes(run: Run, pair: Pair, size: units.Unit) -> str:
    if is_reference(run):
        return NOTHING
    return units.NOT_REACHED if pair is None else size.number(pair[1].payload_bytes)


def _seconds(value: object) -> str:
    return units.significant(value) if isinstance(value, (int, float)) else units.NOT_MEASURED


def _named(run: Run, study: Study) -> Record:
    link, device = study.conditions.link, study.conditions.device
    return {
        "run": run.header.run_id,
        "method": run.header.method,
        "seed": run.header.seed,
        "link": link.name if link else run.experiment.link.name,
        "device": device.name if device else run.experiment.device.name,
        "payload_factor": study.conditions.payload_factor,
    }


def _reached(goal: Goal, row: Sequence[Pair]) -> Record:
    record: Record = {}
    for fraction, pair in zip(goal.fractions, row, strict=True):
        key = f"to_{fraction * 100:g}"
        record[f"{key}_round"] = pair[1].round if pair else None
        for prefix, place in (("recorded", 0), ("retimed", 1)):
            record[f"{key}_{prefix}_s"] = pair[place].elapsed_s if pair else None
            record[f"{key}_{prefix}_bytes"] = pair[place].payload_bytes if pair else None
    return record


def _fastest(reached: Sequence[Sequence[Pair]], ranked: Sequence[int]) -> frozenset[tuple[int, int]]:
    """Cells of the shortest time in each column, among the rows that are ranked; equal times share the honour."""
    best = set()
    for place, pairs in enumerate(zip(*reached, strict=True)):
        for side in (0, 1):
            times_s = {row: pair[side].elapsed_s for row in ranked if (pair := pairs[row])}
            first_s = min(times_s.values(), default=None)
            best |= {(row, 1 + 2 * place + side) for row, value in times_s.items() if value and value == first_s}
    return frozenset(best)
