"""Plotly figures of curves. Data only: colours of text, grid and background are the page's, which follows a scheme.

A method has one colour, one dash and one marker everywhere (:mod:`analysis.palette`), its seeds too. A trace's
``meta`` says whose it is, for legends that hide and show.
Legends are the page's too, so that a plot keeps its width on a narrow screen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from analysis import axes, stats, targets, units
from analysis.axes import far_apart, logarithmic, time_axis
from analysis.goals import drawn_together, goal_of
from analysis.groups import Group, groups_of, seeds_shown
from analysis.load import Run
from analysis.palette import FRACTION_SYMBOLS, marker, style
from analysis.plots import blank, plain
from harness.records import RoundRecord

MOST_MARKERS = 24
MOST_MARKERS_OF_SEEDS = 8
DECIMALS = 4  # of a metric, as hovering shows it: a fifth one is no pixel, but a part of a large page
LABELS_PX = 44  # beside the plot, for the names of target lines


def milestones(runs: Sequence[Run], place: int = 0) -> go.Figure:
    """When each fraction of a target was reached: a row for each group of runs, a mark for each fraction and seed.

    Time is logarithmic where these are far apart.
    """
    goal = goal_of(runs, place)
    reached = goal.crossings()
    times_s = [c.elapsed_s for row in reached for c in row if c]
    clock = units.legible_time_unit(times_s)
    apart = far_apart(times_s)
    start = min(times_s) / clock.divisor / 2 if apart else 0.0  # zero has no place on a logarithmic axis
    groups = groups_of(goal.runs)
    figure = blank(f"time, {clock.symbol}", "", height=60 + 34 * len(groups))
    for group in groups:
        found = [
            (run, c, FRACTION_SYMBOLS[at % len(FRACTION_SYMBOLS)])
            for run, row in zip(group.runs, (reached[own] for own in group.places), strict=True)
            for at, c in enumerate(row)
            if c
        ]
        xs = [c.elapsed_s / clock.divisor for _, c, _ in found]
        look, name = style(group.method), plain(group.label)
        crowded = len(group.runs) > 1
        figure.add_trace(  # a run that reached nothing keeps its empty row
            go.Scatter(
                x=[start, max(xs, default=start)],
                y=[name] * 2,
                mode="lines",
                meta={"method": group.method},
                line={"color": look.colour, "dash": look.dash, "width": 2},
                hoverinfo="skip",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=xs,
                y=[name] * len(xs),
                mode="markers",
                meta={"method": group.method},
                opacity=0.7 if crowded else 1,
                marker={"color": look.colour, "size": 9 if crowded else 12, "symbol": [each[-1] for each in found]},
                customdata=[
                    f"{units.percent(c.fraction)}, {f'seed {run.header.seed}, ' if crowded else ''}round {c.round}"
                    for run, c, _ in found
                ],
                hovertemplate=f"%{{y}}: %{{customdata}}<br>%{{x:.4~g}} {clock.symbol}<extra></extra>",
            )
        )
    if apart:
        ends = [math.log10(end) for end in (start, 1.3 * max(times_s) / clock.divisor)]
        figure.update_xaxes(**logarithmic([value / clock.divisor for value in times_s]), range=ends)
    else:
        figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True, title=None, ticks="")
    return figure


def decided_s(runs: Sequence[Run], place: int = 0) -> float | None:
    """Where the time axis may end at first: a little after the last crossing, or the end of a run that misses one.

    None where that would hide less than a third of the axis, or where that is logarithmic. A slow method's long tail
    else squeezes all the others.
    """
    if time_axis(runs)[1].get("type") == "log":
        return None
    ends_s = [0.0]
    for goal in drawn_together(runs, place):
        for run, reached in zip(goal.runs, goal.crossings(), strict=True):
            ends_s += [c.elapsed_s for c in reached if c]
            ends_s += [run.rounds[-1].elapsed_s] if run.rounds and None in reached else []
    longest_s = max((record.elapsed_s for run in runs for record in run.rounds), default=0.0)
    until_s = 1.15 * max(ends_s)
    return until_s if 0 < until_s < 2 / 3 * longest_s else None


def metric_by_time(runs: Sequence[Run], place: int = 0) -> go.Figure:
    """A target's metric against the benchmark clock, with the target's lines; ``place`` chooses the target."""
    clock, axis = time_axis(runs)
    figure = blank(f"time, {clock.symbol}", metric_words(runs, place), right=LABELS_PX)
    until_s = decided_s(runs, place)
    if until_s is not None:
        axis = {"range": [0, until_s / clock.divisor]}
    figure.update_xaxes(**axis)
    hover = f"%{{x:.4~g}} {clock.symbol}"
    add_metric(figure, runs, place, lambda rounds: [r.elapsed_s / clock.divisor for r in rounds], hover)
    if axis.get("type") == "log":
        figure.update_traces(marker_maxdisplayed=axes.MOST_MARKERS)
    return figure


def metric_by_round(runs: Sequence[Run], place: int = 0) -> go.Figure:
    """A target's metric against rounds, with the target's lines."""
    figure = blank("round", metric_words(runs, place), right=LABELS_PX)
    add_metric(figure, runs, place, lambda rounds: [float(r.round) for r in rounds], "round %{x}")
    figure.update_xaxes(rangemode="tozero")
    return figure


def metric_by_bytes(runs: Sequence[Run], place: int = 0) -> go.Figure:
    """A target's metric against the payload sent so far, up + down; logarithmic where methods are far apart."""
    totals = [targets.payload_bytes(run.rounds) for run in runs]
    size = units.byte_unit(totals)
    figure = blank(f"payload, {size.symbol}", metric_words(runs, place), right=LABELS_PX)
    hover = f"%{{x:.4~g}} {size.symbol}"
    add_metric(figure, runs, place, lambda rounds: [b / size.divisor for b in _bytes_so_far(rounds)], hover)
    if _far_apart(totals):
        figure.update_xaxes(**logarithmic(_first_to_last(runs, size)))
        figure.update_traces(marker_maxdisplayed=axes.MOST_MARKERS)
    return figure


def bytes_by_round(runs: Sequence[Run]) -> go.Figure:
    """Payload so far, up + down, against rounds."""
    totals = [targets.payload_bytes(run.rounds) for run in runs]
    size = units.byte_unit(totals)
    figure = blank("round", f"payload so far, {size.symbol}")
    crowded = seeds_shown(runs)
    for label, run, group in zip(stats.labels(runs), runs, _group_of_each(runs), strict=True):
        sizes = [value / size.divisor for value in _bytes_so_far(run.rounds)]
        hover = f"round %{{x}}<br>%{{y:.4~g}} {size.symbol}"
        figure.add_trace(_line(group, label, [float(r.round) for r in run.rounds], sizes, hover, crowded))
    figure.update_xaxes(rangemode="tozero")
    if _far_apart(totals):
        figure.update_yaxes(**logarithmic(_first_to_last(runs, size)))
    else:
        figure.update_yaxes(rangemode="tozero")
    return figure


def add_metric(figure: go.Figure, runs: Sequence[Run], place: int, x_of: Any, x_hover: str) -> None:
    """A line of the target's metric for each run, over the evaluated rounds, and the lines of that metric's targets.

    ``x_of`` gives each round its place on the x axis; None: the round has none.
    """
    goal = goal_of(runs, place)
    crowded = seeds_shown(goal.runs)
    groups = _group_of_each(goal.runs)
    for label, run, target, group in zip(goal.labels, goal.runs, goal.targets, groups, strict=True):
        name = target.metric
        xs = x_of(run.rounds)
        points = [
            (x, round(r.metrics[name], DECIMALS))
            for x, r in zip(xs, run.rounds, strict=True)
            if name in r.metrics and x is not None
        ]
        hover = f"%{{y:.{DECIMALS}f}}<br>{x_hover}"
        figure.add_trace(_line(group, label, [x for x, _ in points], [y for _, y in points], hover, crowded))
    add_target_lines(figure, runs, place)


def add_target_lines(figure: go.Figure, runs: Sequence[Run], place: int) -> None:
    """A dotted line for each fraction of the targets that the metric of ``place`` has."""
    for goal in drawn_together(runs, place):
        for value in dict.fromkeys(target.value for target in goal.targets):
            for fraction in goal.fractions:
                figure.add_hline(
                    y=fraction * value,
                    line={"color": "#888888", "width": 1, "dash": "dot"},
                    annotation={"text": units.percent(fraction), "font": {"size": 11}, "x": 1, "xanchor": "left"},
                    annotation_yanchor="middle",
                )


def metric_words(runs: Sequence[Run], place: int) -> str:
    """The metric of a target as the title of an axis."""
    return plain(goal_of(runs, place).metric_words)


def _group_of_each(runs: Sequence[Run]) -> list[Group]:
    """The group of each run, in the order of the runs."""
    of = {place: group for group in groups_of(runs) for place in group.places}
    return [of[place] for place in range(len(runs))]


def _line(group: Group, label: str, xs: list[float], ys: list[float], hover: str, crowded: bool) -> dict[str, Any]:
    """A run's line. Where seeds stand side by side lines are thin, their marks fewer, and hovering names the run.

    A mapping: plotly looks at every number of a trace when that is made, and of one that is made already again.
    """
    look = style(group.method)
    width = 1.25 if crowded else 2.5 if group.method == "federa" else 2
    return {
        "type": "scatter",
        "x": xs,
        "y": ys,
        "name": plain(label),
        "meta": group.meta,
        "mode": "lines+markers",
        "opacity": 0.8 if crowded else 1,
        "line": {"color": look.colour, "dash": look.dash, "width": width},
        "marker": marker(group.method, group.variant, 5 if crowded else 7)
        | {"maxdisplayed": MOST_MARKERS_OF_SEEDS if crowded else MOST_MARKERS},
        "hovertemplate": f"{hover}<extra>{plain(label)}</extra>",
    }


def _bytes_so_far(rounds: Sequence[RoundRecord]) -> list[int]:
    return list(accumulate(r.download_bytes + r.upload_bytes for r in rounds))


def _far_apart(totals: Sequence[int]) -> bool:
    return far_apart([total for total in totals if total > 0])


def _first_to_last(runs: Sequence[Run], size: units.Unit) -> list[float]:
    """The payload by each run's first round and by its last, where it sent anything."""
    sums = [value for run in runs if run.rounds for value in _bytes_so_far(run.rounds)[:: max(1, len(run.rounds) - 1)]]
    return [value / size.divisor for value in sums if value > 0]
