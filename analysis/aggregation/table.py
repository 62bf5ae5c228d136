"""Ways of aggregating in one table: accuracy, seconds, bytes, errors and privacy of each run; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from analysis import targets, units
from analysis.aggregation import measures
from analysis.aggregation.measures import COMPONENTS, Course
from analysis.aggregation.records import note_of, record_of
from analysis.goals import Goal, goal_of, goals_of
from analysis.load import Run
from analysis.methods import PERSONAL, aggregates, is_reference, ranked_places, settings_words, start_words
from analysis.rendering import Column, Table
from analysis.tables import NOTHING

AGGREGATION = "aggregation"
LEAST_SHARE = 1e-5

Better = Callable[[Sequence[float]], float]


class Part(NamedTuple):
    """A column with its cells. ``values`` are what the best of is pointed at, by ``better``; None is never the best."""

    column: Column
    cells: Sequence[str]
    values: Sequence[float | None] = ()
    better: Better = max


def is_shown(runs: Sequence[Run]) -> bool:
    """Whether there is anything to say of the aggregation of these runs."""
    return any(aggregates(run) or measures.has_errors(run) for run in runs)


def aggregation_tables(runs: Sequence[Run]) -> tuple[Table, ...]:
    """A table for each target; none where nothing is to be said of aggregation."""
    if not is_shown(runs):
        return ()
    return tuple(aggregation_table(runs, place) for place in range(len(goals_of(runs))))


def printed_tables(runs: Sequence[Run]) -> tuple[Table, ...]:
    """The tables that a terminal shows: those of runs that are about aggregating, not of all that average factors."""
    return aggregation_tables(runs) if any(map(aggregates, runs)) else ()


def aggregation_table(runs: Sequence[Run], place: int = 0) -> Table:
    """Each run's start, metric, seconds to the fractions of a target, bytes, errors and epsilon; one row a run."""
    goal = goal_of(runs, place)
    parts = [
        Part(Column("method", numeric=False), goal.labels),
        *_metrics(goal),
        *_privacy(goal),
        *_seconds(goal),
        *_adapters(goal),
        *_errors(goal),
        *_other_bytes(goal),
        Part(Column("rounds", extra=True), [units.count(len(run.rounds)) for run in goal.runs]),
        Part(Column("start of A, B", numeric=False, extra=True), [start_words(run) for run in goal.runs]),
        *_settings(goal),
    ]
    return Table(
        name=f"{AGGREGATION}{goal.suffix}",
        title=f"Aggregation: {goal.metric_words}, seconds, bytes and errors",
        note=note_of(goal),
        columns=tuple(part.column for part in parts),
        rows=tuple(zip(*(part.cells for part in parts), strict=True)),
        records=tuple(record_of(goal, at) for at in range(len(goal.runs))),
        best=_best(goal, parts),
    )


def share(value: float | None) -> str:
    """A relative error as percent: 18.2, 0.0409; what rounding leaves of an exact method is "< 0.001"."""
    if value is None:
        return units.NOT_MEASURED
    return "< 0.001" if 0 < value < LEAST_SHARE else units.significant(100 * value)


def epsilon(value: float | None) -> str:
    """An epsilon with three digits; of a run without noise there is none."""
    return NOTHING if value is None else units.significant(value)


def _settings(goal: Goal) -> list[Part]:
    words = [settings_words(run) for run in goal.runs]
    cells = [word or "defaults" for word in words]
    return [Part(Column("settings", numeric=False, extra=True), cells)] if any(words) else []


def _metrics(goal: Goal) -> list[Part]:
    bests = [targets.best_metric(r.rounds, t.metric) for r, t in zip(goal.runs, goal.targets, strict=True)]
    lasts = [measures.last_metric(r, t.metric) for r, t in zip(goal.runs, goal.targets, strict=True)]
    words = "metric" if len(goal.metrics) > 1 else goal.metric_words
    return [
        Part(Column(f"best {words}"), [*map(units.metric, bests)], _global(goal, bests)),
        Part(Column(f"last {words}"), [*map(units.metric, lasts)], _global(goal, lasts)),
    ]


def _global(goal: Goal, values: Sequence[float | None]) -> list[float | None]:
    """The values without those of personal models, which are measured on models that nobody else has."""
    return [None if r.header.method in PERSONAL else value for r, value in zip(goal.runs, values, strict=True)]


def _seconds(goal: Goal) -> list[Part]:
    reached = goal.crossings()
    clock = units.legible_time_unit(c.elapsed_s for row in reached for c in row if c)
    parts = []
    for fraction, column in zip(goal.fractions, zip(*reached, strict=True), strict=True):
        times = [c.elapsed_s if c else None for c in column]
        heading = Column(f"{units.percent(fraction)}, {clock.symbol}", extra=fraction != goal.fractions[-1])
        cells = [clock.number(value, units.NOT_REACHED) for value in times]
        parts.append(Part(heading, cells, _global(goal, times), min))
    return parts


def _adapters(goal: Goal) -> list[Part]:
    """The adapter's bytes each way; all bytes where the head's are not known."""
    ways = {"down": [*map(measures.download, goal.runs)], "up": [*map(measures.upload, goal.runs)]}
    size = units.byte_unit(payload.whole for found in ways.values() for payload in found if payload)
    return [
        Part(
            Column(f"adapter {way}, {size.symbol}"),
            _sizes(goal, [payload.shown if payload else None for payload in found], size),
        )
        for way, found in ways.items()
    ]


def _other_bytes(goal: Goal) -> list[Part]:
    """The head's bytes, which are the same both ways, and those of the whole run."""
    heads = [payload.head if (payload := measures.upload(run)) else None for run in goal.runs]
    totals: list[float | None] = [targets.payload_bytes(run.rounds) for run in goal.runs]
    each, whole = units.byte_unit(heads), units.byte_unit(totals)
    return [
        Part(Column(f"head each way, {each.symbol}", extra=True), _sizes(goal, heads, each)),
        Part(Column(f"{whole.symbol} in all", extra=True), _sizes(goal, totals, whole)),
    ]


def _sizes(goal: Goal, values: Sequence[float | None], size: units.Unit) -> list[str]:
    """Cells of bytes; none of a reference."""
    return [NOTHING if is_reference(r) else size.number(value) for r, value in zip(goal.runs, values, strict=True)]


def _errors(goal: Goal) -> list[Part]:
    if not any(measures.has_errors(run) for run in goal.runs):
        return []
    parts = []
    for component in COMPONENTS:
        found = [measures.errors(run, component) for run in goal.runs]
        heading = Column(f"{component}, % mean (last)", extra=component != "made")
        parts.append(Part(heading, [_course_words(course) for course in found]))
    return parts


def _course_words(course: Course | None) -> str:
    if course is None:
        return units.NOT_MEASURED
    mean, last = share(course.mean), share(course.last)
    return mean if mean == last else f"{mean} ({last})"


def _privacy(goal: Goal) -> list[Part]:
    found = [measures.spent(run) for run in goal.runs]
    if not any(found):
        return []
    return [Part(Column("epsilon"), [epsilon(spent.epsilon if spent else None) for spent in found])]


def _best(goal: Goal, parts: Sequence[Part]) -> frozenset[tuple[int, int]]:
    """The best cell of each column that has one, among those that are compared; equal ones share the honour."""
    best: set[tuple[int, int]] = set()
    for column, part in enumerate(parts):
        known = {at: value for at in ranked_places(goal.runs) if part.values and (value := part.values[at]) is not None}
        if known:
            winner = part.better([*known.values()])
            best |= {(at, column) for at, value in known.items() if value == winner}
    return frozenset(best)
