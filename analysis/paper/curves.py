"""The metric against rounds and against time, by method: FeDeRA's Figures 3 and 8; pure."""

from __future__ import annotations

import plotly.graph_objects as go

from analysis.axes import MOST_MARKERS, time_axis
from analysis.figures import LABELS_PX, add_target_lines
from analysis.goals import drawn_places, goal_of
from analysis.groups import groups_of
from analysis.paper.bands import add_band, band_of
from analysis.paper.panels import Panel, clock_words
from analysis.plots import Drawn, blank, plain

LINES = "Dotted lines are the fractions of the target."


def by_round(panel: Panel) -> tuple[Drawn, ...]:
    """Figure 3: a target's metric against rounds; one figure for each metric that is aimed at."""
    return tuple(
        Drawn(
            name=panel.name("figure-3-metric-by-round", place),
            title=panel.title("Figure 3: metric by round", place),
            caption=panel.caption("The global model's metric after each round, after FeDeRA's Figure 3.", LINES),
            figure=_metric(panel, place, over_time=False),
        )
        for place in drawn_places(panel.runs)
    )


def by_time(panel: Panel) -> tuple[Drawn, ...]:
    """Figure 8: a target's metric against time; one figure for each metric that is aimed at."""
    seeds = "Lines are medians over seeds, of time and of metric; bands go from the least metric to the greatest."
    return tuple(
        Drawn(
            name=panel.name("figure-8-metric-by-time", place),
            title=panel.title("Figure 8: metric by time", place),
            caption=panel.caption(
                "The global model's metric against time, after FeDeRA's Figure 8.",
                clock_words(panel.runs),
                LINES,
                over_seeds=seeds,
            ),
            figure=_metric(panel, place, over_time=True),
        )
        for place in drawn_places(panel.runs)
    )


def _metric(panel: Panel, place: int, over_time: bool) -> go.Figure:
    """The metric over rounds, or over time."""
    goal = goal_of(panel.runs, place)
    clock, axis = time_axis(panel.runs)
    x_words = f"time, {clock.symbol}" if over_time else "round"
    figure = blank(x_words, plain(goal.metric_words), right=LABELS_PX)
    for group in groups_of(goal.runs):
        metric = group.runs[0].experiment.targets[place].metric
        band = band_of([{r.round: r.metrics[metric] for r in run.rounds if metric in r.metrics} for run in group.runs])
        hover = "round %{x}<br>%{y:.4f}"
        if over_time:
            times = band_of([{r.round: r.elapsed_s for r in run.rounds} for run in group.runs])
            band = band.moved(dict(zip(times.xs, times.middle, strict=True)), clock.divisor)
            hover = f"%{{x:.4~g}} {clock.symbol}<br>%{{y:.4f}}"
        add_band(figure, group, band, hover)
    add_target_lines(figure, panel.runs, place)
    figure.update_xaxes(**axis if over_time else {"rangemode": "tozero"})
    if figure.layout.xaxis.type == "log":
        figure.update_traces(marker_maxdisplayed=MOST_MARKERS)
    return figure
