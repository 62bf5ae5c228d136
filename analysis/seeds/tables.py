"""Tables over seeds: time to a target with its spread, and how many times as fast one method is as another; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from analysis import units
from analysis.goals import Goal, goals_of
from analysis.load import Run
from analysis.rendering import Column, Record, Table
from analysis.seeds import bootstrap
from analysis.seeds.energy import energies_over_seeds
from analysis.seeds.seeded import Seeded, estimate, named, named_groups, spread_words, time_words
from analysis.seeds.speedup import comparable_pairs, speed_ups
from analysis.stats import in_order
from analysis.tables import clock_words

OVER_SEEDS = "seeds-time-to-target"


def seed_tables(runs: Sequence[Run]) -> tuple[Table, ...]:
    """For each target its times over seeds, and the speed-ups if there are several methods; none without two seeds."""
    runs = in_order(runs)
    if not any(len({run.header.seed for run in group.runs}) > 1 for group in named_groups(runs)):
        return ()
    tables = []
    for goal in goals_of(runs):
        seeded = [Seeded(group, group.runs[0].experiment.targets[goal.place]) for group in named_groups(goal.runs)]
        tables += [times_over_seeds(goal, seeded), *energies_over_seeds(goal, seeded)]
        pairs = comparable_pairs(seeded)
        if pairs:
            tables.append(speed_ups(goal, pairs))
    return tuple(tables)


def times_over_seeds(goal: Goal, seeded: Sequence[Seeded]) -> Table:
    """Time to each fraction over seeds, one row a group: how many reached it, the median and its interval."""
    times = [[each.times(fraction) for fraction in goal.fractions] for each in seeded]
    clock = units.legible_time_unit(value for row in times for cell in row for value in cell if math.isfinite(value))
    trimmed = any(len(each.group.runs) >= bootstrap.FEWEST_FOR_TRIMMED_MEAN for each in seeded)
    columns = [Column("method", numeric=False)]
    for fraction in goal.fractions:
        words = units.percent(fraction)
        columns += [Column(f"{words}, {clock.symbol} [interval] (reached)")]
        columns += [Column(f"{words}, {clock.symbol}, trimmed mean", extra=True)] if trimmed else []
    columns.append(Column(f"best {'metric' if len(goal.metrics) > 1 else goal.metric_words}"))
    rows = []
    for each, row in zip(seeded, times, strict=True):
        cells = [each.group.label]
        for cell in row:
            cells += [f"{estimate(median(cell), bootstrap.median_interval(cell), clock)} ({_reached(cell)})"]
            cells += [time_words(bootstrap.trimmed_mean(cell), clock)] if trimmed else []
        rows.append((*cells, spread_words(bootstrap.spread(each.bests))))
    return Table(
        name=f"{OVER_SEEDS}{goal.suffix}",
        title=f"Time to {units.listing(units.percent(f) for f in goal.fractions)} of {goal.words} over seeds",
        note=_times_note(goal.runs, trimmed),
        columns=tuple(columns),
        rows=tuple(rows),
        records=tuple(_time_record(each, goal.fractions, row) for each, row in zip(seeded, times, strict=True)),
        best=_shortest(times, 1, 2 if trimmed else 1),
    )


def _times_note(runs: Sequence[Run], trimmed: bool) -> str:
    unfinished = sum(run.header.state != "done" for run in runs)
    parts = [
        clock_words(runs),
        "Median over runs, where one that never reached the fraction counts as later than all that did, and how many "
        f"reached it ({units.NOT_REACHED}: at least half did not); 95 % interval: percentile bootstrap over runs, "
        f"{units.NOT_REACHED} where it is open",
        "Best metric: mean and standard deviation over runs",
    ]
    parts += ["Trimmed mean: without the fastest and the slowest, from five runs on, as MLPerf takes it"] * trimmed
    parts += [f"{units.counted(unfinished, 'run')} did not end as planned and may yet reach more"] * bool(unfinished)
    return ". ".join(parts) + "."


def _reached(times: Sequence[float]) -> str:
    return f"{sum(map(math.isfinite, times))}/{len(times)}"


def _time_record(each: Seeded, fractions: Sequence[float], row: Sequence[Sequence[float]]) -> Record:
    best = bootstrap.spread(each.bests)
    record = named(each.group) | {
        "metric": each.target.metric,
        "target": each.target.value,
        "best_mean": best.mean if best else None,
        "best_std": best.deviation if best else None,
    }
    for fraction, times in zip(fractions, row, strict=True):
        key = f"to_{fraction * 100:g}"
        interval = bootstrap.median_interval(times)
        arrived = [value for value in times if math.isfinite(value)]
        record[f"{key}_reached"] = len(arrived)
        record[f"{key}_median_s"] = median(times)
        record[f"{key}_low_s"] = interval.low if interval else None
        record[f"{key}_high_s"] = interval.high if interval else None
        record[f"{key}_median_of_reached_s"] = median(arrived) if arrived else math.inf
        record[f"{key}_trimmed_mean_s"] = bootstrap.trimmed_mean(times)
    return record


def _shortest(times: Sequence[Sequence[Sequence[float]]], first: int, step: int) -> frozenset[tuple[int, int]]:
    """Cells of the shortest median in each column of medians; equal ones share the honour, alone there is none."""
    best: set[tuple[int, int]] = set()
    for place, column in enumerate(zip(*times, strict=True)):
        medians = [median(cell) for cell in column]
        shortest = min(medians)
        if len(medians) > 1 and math.isfinite(shortest):
            best |= {(row, first + step * place) for row, value in enumerate(medians) if value == shortest}
    return frozenset(best)
