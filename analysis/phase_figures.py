"""Plotly figures of where a round's seconds go. A trace's ``meta`` has its method and phase, for the page's legends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from analysis.groups import Group, groups_of
from analysis.load import Run
from analysis.palette import PHASES
from analysis.plots import blank, plain, rows_downwards

MOST_BARS = 60
"""Rounds with a bar each; beyond, bars would be thinner than a pixel or two, and areas stand for them."""
DIGITS = 4
"""Of a round's seconds in a page, where each run has seven numbers for each round: as many as hovering shows."""


def phases_by_method(runs: Sequence[Run]) -> go.Figure:
    """The mean round by phase, one bar for each group of runs: means, because they sum to the whole."""
    groups = groups_of(runs)
    figure = blank("mean round, s", "", height=64 + 38 * len(groups))
    for field, phase, colour in PHASES:
        for method in dict.fromkeys(group.method for group in groups):
            own = [group for group in groups if group.method == method]
            figure.add_trace(
                go.Bar(
                    x=[_mean_s(group, field) for group in own],
                    y=[plain(group.label) for group in own],
                    orientation="h",
                    name=phase,
                    meta={"method": method, "phase": field},
                    marker={"color": colour, "line": {"width": 0}},
                    hovertemplate=f"%{{y}}: {phase} %{{x:.4~g}} s<extra></extra>",
                )
            )
    figure.update_layout(barmode="stack", bargap=0.35)
    rows_downwards(figure, [group.label for group in groups])
    return figure


def phases_by_round(run: Run) -> go.Figure:
    """One run's rounds by phase, stacked: the whole is ``round_s``. Bars, and areas with steps for many rounds."""
    figure = blank("round", "s", height=220)
    many = len(run.rounds) > MOST_BARS
    for field, phase, colour in PHASES:
        shared = {
            "x": [r.round for r in run.rounds],
            "y": [getattr(r, field) for r in run.rounds],
            "name": phase,
            "meta": {"phase": field},
            "hovertemplate": f"round %{{x}}: {phase} %{{y:.4~g}} s<extra></extra>",
        }
        figure.add_trace(_area(shared, colour) if many else _bars(shared, colour))
    figure.update_layout(barmode="stack", bargap=0.15)
    return figure


def _bars(shared: dict[str, Any], colour: str) -> dict[str, Any]:
    return {**shared, "type": "bar", "marker": {"color": colour, "line": {"width": 0}}}


def _area(shared: dict[str, Any], colour: str) -> dict[str, Any]:
    """A band of the stack. Its line has no width: the fill is the value."""
    line = {"width": 0, "shape": "hvh", "color": colour}
    return {**shared, "type": "scatter", "mode": "lines", "stackgroup": "round", "fillcolor": colour, "line": line}


def _mean_s(group: Group, field: str) -> float | None:
    seconds = list(_seconds(group, field))
    return sum(seconds) / len(seconds) if seconds else None


def _seconds(group: Group, field: str) -> Iterator[float]:
    """Of each round of each of the group's runs."""
    return (getattr(record, field) for run in group.runs for record in run.rounds)
