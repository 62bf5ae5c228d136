"""Plotly figures of what aggregating loses: each error component by round, and the change it is relative to; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from analysis.aggregation import measures
from analysis.aggregation.measures import Component
from analysis.axes import far_apart, logarithmic
from analysis.groups import groups_of
from analysis.load import Run
from analysis.methods import fleets
from analysis.paper.bands import add_band, band_of
from analysis.plots import Drawn, blank

MEANINGS: Mapping[Component, tuple[str, str]] = {
    "made": ("Error that was made", "What the method's own aggregate misses."),
    "averaging": ("Averaging error", "What the mean of the factors misses; zero where A is common."),
    "truncation": ("Truncation error", "What the best factors of rank r miss."),
}
HEIGHT_PX = 260
LEAST_PERCENT = 0.001
LEFT_OUT = "Logarithmic: what is below 0.001 % is not drawn."


def error_figures(runs: Sequence[Run]) -> tuple[Drawn, ...]:
    """What each method lost in each round, the two components, and the change; none where no round tells them.

    A reference has one client, so that nothing is averaged.
    """
    told = [run for run in fleets(runs) if measures.has_errors(run)]
    if not told:
        return ()
    errors = tuple(_error(told, component) for component in MEANINGS)
    caption = "Frobenius norm of the round's change of s B A, all layers."
    return *errors, Drawn("error-change", "Change of a round", caption, _change(told))


def _error(runs: Sequence[Run], component: Component) -> Drawn:
    """On a logarithmic axis where errors are far apart; what is exact has no place there, and is in the table."""
    title, caption = MEANINGS[component]
    figure = blank("round", "% of the change", height=HEIGHT_PX)
    every = [100 * value for run in runs for _, value in measures.by_round(run, component)]
    seen = [value for value in every if value >= LEAST_PERCENT]
    logs = far_apart(seen)
    for group in groups_of(runs):
        curves = [_percent(run, component, LEAST_PERCENT if logs else 0.0) for run in group.runs]
        if any(curves):
            add_band(figure, group, band_of(curves), "round %{x}<br>%{y:.4~g} %")
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(**(logarithmic(seen) if logs else {"rangemode": "tozero"}))
    without = logs and len(seen) < len(every)
    return Drawn(f"error-{component}", title, f"{caption} {LEFT_OUT}" if without else caption, figure)


def _percent(run: Run, component: Component, least: float) -> dict[float, float]:
    """The error by round, of those rounds in which it is at least this."""
    return {float(at): 100 * value for at, value in measures.by_round(run, component) if 100 * value >= least}


def _change(runs: Sequence[Run]) -> go.Figure:
    figure = blank("round", "norm", height=HEIGHT_PX)
    drawn: list[float] = []
    for group in groups_of(runs):
        curves = [{float(r.round): r.errors.change for r in run.rounds if r.errors} for run in group.runs]
        add_band(figure, group, band_of(curves), "round %{x}<br>%{y:.4~g}")
        drawn += [value for curve in curves for value in curve.values()]
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(**(logarithmic(drawn) if far_apart(drawn) else {"rangemode": "tozero"}))
    return figure
