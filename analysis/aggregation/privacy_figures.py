"""Plotly figures of a metric against epsilon: as it is spent by round, and at the end over several noises; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

import plotly.graph_objects as go

from analysis import units
from analysis.aggregation import measures
from analysis.aggregation.privacy import compared
from analysis.axes import far_apart, logarithmic
from analysis.figures import MOST_MARKERS_OF_SEEDS, metric_words
from analysis.goals import goal_of, goals_of
from analysis.groups import Group, groups_of
from analysis.load import Run
from analysis.palette import marker, style
from analysis.plots import Drawn, blank, plain

HEIGHT_PX = 320
LEVEL = "Dotted: the method's last value without noise."

Point = tuple[float, float]
"""Epsilon and metric."""


def privacy_figures(runs: Sequence[Run]) -> tuple[Drawn, ...]:
    """Both figures of each target, as far as there is something to draw."""
    runs = compared(runs)
    return tuple(drawn for place in range(len(goals_of(runs))) for drawn in _of(runs, place)) if runs else ()


def _of(runs: Sequence[Run], place: int) -> Iterator[Drawn]:
    goal = goal_of(runs, place)
    groups = groups_of(goal.runs)
    words = f"{goal.metric_words[:1].upper()}{goal.metric_words[1:]}"
    without = [group for group in groups if not any(map(measures.spent, group.runs))]
    caption = LEVEL if without else ""
    lines = [(group, course) for group in groups for run in group.runs if (course := _course(run, place))]
    if lines:
        figure = _figure(runs, place, lines, without)
        yield Drawn(f"metric-by-epsilon{goal.suffix}", f"{words} against epsilon, by round", caption, figure)
    ends = [(of_method[0], sorted(_end(each, place) for each in of_method)) for of_method in _by_method(groups, place)]
    if any(len(points) > 1 for _, points in ends):
        figure = _figure(runs, place, ends, without)
        said = f"Medians over seeds; the same method with several noises. {caption}".rstrip()
        yield Drawn(f"metric-at-epsilon{goal.suffix}", f"Last {goal.metric_words} against epsilon", said, figure)


def _figure(
    runs: Sequence[Run], place: int, lines: Sequence[tuple[Group, Sequence[Point]]], without: Sequence[Group]
) -> go.Figure:
    figure = blank("epsilon", metric_words(runs, place), height=HEIGHT_PX)
    every = [epsilon for _, points in lines for epsilon, _ in points]
    for group, points in lines:
        figure.add_trace(_line(group, points))
    for group in without:
        level = [last for run in group.runs if (last := _last(run, place)) is not None]
        if level:
            figure.add_trace(_level(group, [min(every), max(every)], median(level)))
    figure.update_xaxes(**(logarithmic(every) if far_apart(every) else {"rangemode": "tozero"}))
    return figure


def _line(group: Group, points: Sequence[Point]) -> go.Scatter:
    look, label = style(group.method), plain(group.label)
    return go.Scatter(
        x=[epsilon for epsilon, _ in points],
        y=[value for _, value in points],
        name=label,
        meta=group.meta,
        mode="lines+markers",
        line={"color": look.colour, "dash": look.dash, "width": 2},
        marker=marker(group.method) | {"maxdisplayed": MOST_MARKERS_OF_SEEDS},
        hovertemplate=f"%{{y:.4f}}<br>epsilon %{{x:.4~g}}<extra>{label}</extra>",
    )


def _level(group: Group, ends: Sequence[float], value: float) -> go.Scatter:
    look, label = style(group.method), plain(group.label)
    return go.Scatter(
        x=list(ends),
        y=[value, value],
        name=label,
        meta=group.meta,
        mode="lines",
        line={"color": look.colour, "dash": "dot", "width": 1.5},
        hovertemplate=f"{units.metric(value)} without noise<extra>{label}</extra>",
    )


def _by_method(groups: Sequence[Group], place: int) -> list[list[Group]]:
    """The groups with privacy and a last metric, those of one method that protect the same (samples, clients)."""
    found: dict[tuple[str, str], list[Group]] = {}
    for group in groups:
        spent = [measures.spent(run) for run in group.runs]
        if spent[0] and all(spent) and all(_last(run, place) is not None for run in group.runs):
            found.setdefault((group.method, spent[0].unit), []).append(group)
    return [*found.values()]


def _course(run: Run, place: int) -> list[Point]:
    """Epsilon so far and metric of each round that has both."""
    name = run.experiment.targets[place].metric
    return [(r.privacy.epsilon, r.metrics[name]) for r in run.rounds if r.privacy and name in r.metrics]


def _end(group: Group, place: int) -> Point:
    """Medians over the group's runs, all of which have both."""
    spent = [found.epsilon for run in group.runs if (found := measures.spent(run))]
    lasts = [last for run in group.runs if (last := _last(run, place)) is not None]
    return median(spent), median(lasts)


def _last(run: Run, place: int) -> float | None:
    return measures.last_metric(run, run.experiment.targets[place].metric)
