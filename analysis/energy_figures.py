"""Plotly figures of energy: a target's metric over joules, and what each method spent. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from statistics import median

import plotly.graph_objects as go

from analysis import energy, units
from analysis.axes import far_apart, logarithmic
from analysis.energy import Spent
from analysis.figures import LABELS_PX, add_metric, metric_words
from analysis.goals import goal_of
from analysis.groups import Group, groups_of
from analysis.load import Run
from analysis.palette import style
from analysis.plots import blank, plain
from analysis.ranking import highest_reached
from analysis.targets import first_crossing
from harness.records import RoundRecord

SERVER_COLOUR = "#999999"
IDLE_OPACITY = 0.4


def metric_by_energy(runs: Sequence[Run], place: int = 0) -> go.Figure:
    """A target's metric against the joules of the devices so far; a line ends where a round's were not measured."""
    totals = [joules for run in runs for joules in _so_far(run.rounds) if joules]
    joule = units.energy_unit(totals)
    figure = blank(f"energy of the devices, {joule.symbol}", metric_words(runs, place), right=LABELS_PX)

    def x_of(rounds: Sequence[RoundRecord]) -> list[float | None]:
        return [None if joules is None else joules / joule.divisor for joules in _so_far(rounds)]

    add_metric(figure, runs, place, x_of, f"%{{x:.4~g}} {joule.symbol}")
    ends = [known[-1] for run in runs if (known := [joules for joules in _so_far(run.rounds) if joules])]
    if far_apart(ends):
        figure.update_xaxes(**logarithmic([joules / joule.divisor for joules in totals]))
    else:
        figure.update_xaxes(rangemode="tozero")
    return figure


def energy_by_method(runs: Sequence[Run], place: int = 0) -> go.Figure:
    """What each group spent until the highest fraction that anyone reached; all its rounds where it never did.

    Two bars for each: its devices, of which the pale part is what they take idle, and the server. Medians over seeds.
    """
    fraction = highest_reached(runs, place)
    groups = groups_of(goal_of(runs, place).runs)
    spent = {group.label: _medians([_until(run, place, fraction) for run in group.runs]) for group in groups}
    joule = units.energy_unit(value for each in spent.values() for value in (each.devices_j, each.server_j))
    rows = [row for group in groups for row in _rows(group, spent[group.label])]
    figure = blank(f"energy, {joule.symbol}", "", height=90 + 34 * max(1, len({name for name, *_ in rows})))
    for name, part, joules, method, colour, opacity in rows:
        figure.add_trace(
            go.Bar(
                x=[joules / joule.divisor],
                y=[name],
                orientation="h",
                meta={"method": method},
                marker={"color": colour, "opacity": opacity, "line": {"width": 0}},
                hovertemplate=f"%{{y}}: {part} %{{x:.4~g}} {joule.symbol}<extra></extra>",
            )
        )
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True, title=None, ticks="")
    return figure


def energy_caption(runs: Sequence[Run], place: int = 0) -> str:
    """What the bars of :func:`energy_by_method` hold."""
    fraction = highest_reached(runs, place)
    until = "In all rounds" if fraction is None else f"To {units.percent(fraction)}, in all rounds where it was missed"
    return f"{until}. Pale: what the devices take idle in the seconds of their tasks. Grey: the server's machine."


Row = tuple[str, str, float, str, str, float]
"""A part of a bar: whose row, which part, joules, method, colour, opacity."""


def _rows(group: Group, spent: Spent) -> list[Row]:
    name, colour = plain(group.label), style(group.method).colour
    rows: list[Row] = []
    if spent.devices_j is not None and spent.idle_j is not None:
        rows.append((name, "idle", spent.idle_j, group.method, colour, IDLE_OPACITY))
        rows.append((name, "above idle", max(0.0, spent.devices_j - spent.idle_j), group.method, colour, 1.0))
    elif spent.devices_j is not None:
        rows.append((name, "devices", spent.devices_j, group.method, colour, 1.0))
    if spent.server_j is not None:
        rows.append((f"{name}, server", "server", spent.server_j, group.method, SERVER_COLOUR, 1.0))
    return rows


def _until(run: Run, place: int, fraction: float | None) -> Spent:
    target = run.experiment.targets[place]
    crossing = None if fraction is None else first_crossing(run.rounds, target, fraction)
    return energy.spent(run, crossing.round if crossing else None)


def _medians(each: Sequence[Spent]) -> Spent:
    """The median of each part over seeds; None where one run has none."""

    def middle(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return median(known) if known and len(known) == len(values) else None

    return Spent(
        devices_j=middle([spent.devices_j for spent in each]),
        idle_j=middle([spent.idle_j for spent in each]),
        waiting_j=middle([spent.waiting_j for spent in each]),
        server_j=middle([spent.server_j for spent in each]),
        why="",
    )


def _so_far(rounds: Sequence[RoundRecord]) -> list[float | None]:
    """Joules up to each round; None from the first on that was not measured."""
    return list(
        accumulate(
            (record.energy_j for record in rounds),
            lambda before, own: None if before is None or own is None else before + own,
        )
    )
