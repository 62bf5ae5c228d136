"""The best metric by the alpha of the partition, by method: FeDeRA's Figure 4; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

import plotly.graph_objects as go

from analysis import targets
from analysis.goals import drawn_places, goal_of
from analysis.groups import groups_of
from analysis.load import Run
from analysis.palette import marker, style
from analysis.paper.panels import Panel
from analysis.plots import Drawn, blank, plain
from analysis.stats import method_name

ROOM, ASIDE = 0.06, 0.01  # of the axis: beyond its outermost alphas, and between methods at one

ALPHA_ALONE = ("partition.alpha", "name", "description")
"""Keys of a profile in which the runs of one line may differ, beside their seeds."""

Point = tuple[float, float, float | None]
"""Alpha, mean, and standard deviation of a sample; None of one value."""


def by_alpha(panel: Panel) -> tuple[Drawn, ...]:
    """A figure for each metric that is aimed at; none of runs with fewer than two alphas."""
    drawn = tuple(run for run in panel.runs if "dirichlet" in run.experiment.partition.kind)
    alphas = sorted({run.experiment.partition.alpha for run in drawn})
    if len(alphas) < 2:
        return ()
    caption = panel.caption(
        "The best metric of a run against alpha of the Dirichlet distribution that its clients' classes are drawn "
        "from: the smaller, the further clients are apart. After FeDeRA's Figure 4.",
        over_seeds="Points are means over seeds, bars one standard deviation of a sample each way.",
        groups=groups_of(drawn, ALPHA_ALONE),
    )
    return tuple(
        Drawn(
            panel.name("figure-4-metric-by-alpha", place),
            panel.title("Figure 4: best metric by alpha", place),
            caption,
            _figure(drawn, place, alphas),
        )
        for place in drawn_places(drawn)
    )


def points(runs: Sequence[Run], place: int) -> tuple[Point, ...]:
    """Mean and standard deviation of the best metric of runs of one setting, by alpha, ascending."""
    best: dict[float, list[float]] = {}
    for run in runs:
        found = targets.best_metric(run.rounds, run.experiment.targets[place].metric)
        if found is not None:
            best.setdefault(run.experiment.partition.alpha, []).append(found)
    return tuple((alpha, fmean(ys), stdev(ys) if len(ys) > 1 else None) for alpha, ys in sorted(best.items()))


def _figure(runs: Sequence[Run], place: int, alphas: Sequence[float]) -> go.Figure:
    goal = goal_of(runs, place)
    figure = blank("alpha of the Dirichlet distribution", plain(f"best {goal.metric_words}"))
    groups = groups_of(goal.runs, ALPHA_ALONE)
    for group, factor in zip(groups, _aside(alphas, len(groups)), strict=True):
        found = points(group.runs, place)
        method = group.method
        look, name = style(method), plain(group.setting or method_name(method))
        xs, ys, spreads = zip(*found, strict=True) if found else ((), (), ())
        bars = {"type": "data", "array": spreads, "thickness": 1.5, "width": 4, "color": look.colour}
        figure.add_trace(
            go.Scatter(
                x=[alpha * factor for alpha in xs],
                y=ys,
                customdata=xs,
                error_y=bars if any(spreads) else None,
                name=name,
                meta=group.meta,
                mode="lines+markers",
                line={"color": look.colour, "dash": look.dash, "width": 2.5 if method == "federa" else 2},
                marker=marker(method, group.variant, 9),
                hovertemplate=f"alpha %{{customdata}}<br>%{{y:.4f}}<extra>{name}</extra>",
            )
        )
    ends = [math.log10(alpha) for alpha in (alphas[0], alphas[-1])]
    room = ROOM * (ends[1] - ends[0])
    figure.update_xaxes(
        type="log",
        tickvals=alphas,
        ticktext=[f"{alpha:g}" for alpha in alphas],
        range=[ends[0] - room, ends[1] + room],
    )
    return figure


def _aside(alphas: Sequence[float], methods: int) -> list[float]:
    """By how much each method stands beside its alpha on a logarithmic axis, so that bars do not cover each other."""
    step = ASIDE * math.log10(alphas[-1] / alphas[0])
    return [10 ** (step * (place - (methods - 1) / 2)) for place in range(methods)]
