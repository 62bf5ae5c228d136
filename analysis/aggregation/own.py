"""The metrics of clients' own models by round, as they are and as a rolling mean, and how far they end apart; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from analysis import units
from analysis.figures import MOST_MARKERS_OF_SEEDS, metric_words
from analysis.goals import Goal, goal_of
from analysis.groups import Group, groups_of
from analysis.load import Run
from analysis.methods import is_reference
from analysis.palette import marker, style
from analysis.plots import blank, plain
from analysis.rendering import Column, Table
from analysis.rows import named

OWN = "clients-own-metric"
WINDOW = 7
"""Rounds of the rolling mean, as the FRA paper shows SST-2 (arXiv 2501.06332)."""
HEIGHT_PX = 300
RAW_OPACITY = 0.45
RANGE_MARGIN = 0.05
MOST_COLUMNS = 12
"""Clients with a column each; of more the table tells the least, the mean and the greatest alone."""

Curve = dict[float, float]
"""A metric by round."""


def clients_of(runs: Sequence[Run]) -> tuple[int, ...]:
    """The clients whose own models were evaluated in any round. The one client of a reference is none of them."""
    found = {client for run in runs if not is_reference(run) for r in run.rounds for client in r.client_metrics}
    return tuple(sorted(found))


def curve_of(run: Run, client: int, metric: str) -> Curve:
    """A metric of a client's own model, by round; of a reference that of its only model."""
    if is_reference(run):
        return {float(r.round): r.metrics[metric] for r in run.rounds if metric in r.metrics}
    own = ((r.round, r.client_metrics.get(client, {})) for r in run.rounds)
    return {float(number): values[metric] for number, values in own if metric in values}


def rolling(curve: Mapping[float, float], window: int = WINDOW) -> Curve:
    """At each round the mean of the last ``window`` values up to it; of as many as there are in the first ones."""
    rounds = sorted(curve)
    values = [curve[at] for at in rounds]
    return {at: fmean(values[max(0, place + 1 - window) : place + 1]) for place, at in enumerate(rounds)}


def own_figure(runs: Sequence[Run], client: int, place: int = 0) -> go.Figure:
    """A client's metric by round, a colour a method: runs thin, the rolling mean thick, over seeds of their mean."""
    goal = goal_of(runs, place)
    figure = blank("round", metric_words(runs, place), height=HEIGHT_PX)
    for group in groups_of(goal.runs):
        metric = group.runs[0].experiment.targets[place].metric
        curves = [curve for run in group.runs if (curve := curve_of(run, client, metric))]
        for trace in _traces(group, curves):
            figure.add_trace(trace)
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(range=_range(goal))
    return figure


def own_table(runs: Sequence[Run], place: int = 0) -> Table:
    """Where each client's rolling mean ended, one row a run; no rows where no client's own model was evaluated."""
    goal = goal_of(runs, place)
    clients = clients_of(goal.runs)
    kept = [(*each, ends) for each in _runs_of(goal) if (ends := _ends(each[1], clients, each[2]))]
    shown = clients if len(clients) <= MOST_COLUMNS else ()
    return Table(
        name=f"{OWN}{goal.suffix}",
        title=f"{goal.metric_words[:1].upper()}{goal.metric_words[1:]} of the clients' own models",
        note=f"Each client's model before it was aggregated (personal: the model that the client keeps), on the same "
        f"samples. Means over the last {WINDOW} evaluated rounds of a client.",
        columns=(
            Column("method", numeric=False),
            *(Column(head) for head in ("mean", "least", "greatest", "apart")),
            *(Column(f"client {client}", extra=True) for client in shown),
        ),
        rows=tuple(
            (label, *map(units.metric, _summary(ends)), *(units.metric(ends.get(client)) for client in shown))
            for label, _, _, ends in kept
        ),
        records=tuple(
            named(run) | {"client": client, "metric": metric, "rolling_mean": value, "window": WINDOW}
            for _, run, metric, ends in kept
            for client, value in ends.items()
        ),
    )


def _range(goal: Goal) -> list[float] | None:
    """One range for the charts of all clients, so that they can be compared by eye."""
    metrics = {target.metric for target in goal.targets}
    every = [
        value
        for run in goal.runs
        for record in run.rounds
        for values in (record.metrics if is_reference(run) else {}, *record.client_metrics.values())
        for name, value in values.items()
        if name in metrics
    ]
    margin = RANGE_MARGIN * (max(every) - min(every)) if every else 0.0
    return [min(every) - margin, max(every) + margin] if margin else None


def _runs_of(goal: Goal) -> Iterator[tuple[str, Run, str]]:
    """Label, run and metric of each run that is no reference."""
    for label, run, target in zip(goal.labels, goal.runs, goal.targets, strict=True):
        if not is_reference(run):
            yield label, run, target.metric


def _ends(run: Run, clients: Sequence[int], metric: str) -> dict[int, float]:
    """The last rolling mean of each client that has one."""
    curves = {client: rolling(curve_of(run, client, metric)) for client in clients}
    return {client: curve[max(curve)] for client, curve in curves.items() if curve}


def _summary(ends: Mapping[int, float]) -> tuple[float, float, float, float]:
    least, greatest = min(ends.values()), max(ends.values())
    return fmean(ends.values()), least, greatest, greatest - least


def _traces(group: Group, curves: Sequence[Curve]) -> Iterator[go.Scatter]:
    """The thin lines, then the thick one above them."""
    look, label = style(group.method), plain(group.label)
    common: dict[str, Any] = {"name": label, "meta": group.meta}
    for curve in curves:
        yield go.Scatter(
            x=list(curve),
            y=list(curve.values()),
            mode="lines",
            opacity=RAW_OPACITY,
            line={"color": look.colour, "width": 1},
            showlegend=False,
            hoverinfo="skip",
            **common,
        )
    mean = rolling({at: fmean(c[at] for c in curves if at in c) for at in sorted({at for c in curves for at in c})})
    yield go.Scatter(
        x=list(mean),
        y=list(mean.values()),
        mode="lines+markers",
        line={"color": look.colour, "dash": look.dash, "width": 3},
        marker=marker(group.method, group.variant) | {"maxdisplayed": MOST_MARKERS_OF_SEEDS},
        hovertemplate=f"%{{y:.4f}}, mean of {WINDOW}<br>round %{{x}}<extra>{label}</extra>",
        **common,
    )
