"""Time, bytes and metric of the methods in one picture: FeDeRA's Figure 1; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analysis import units
from analysis.axes import far_apart, logarithmic
from analysis.goals import drawn_places, goal_of
from analysis.groups import Group, groups_of
from analysis.load import Run
from analysis.palette import style
from analysis.paper.bands import translucent
from analysis.paper.panels import Panel, clock_words
from analysis.plots import Drawn, blank, plain
from analysis.ranking import ranking

SMALLEST_PX, LARGEST_PX = 10.0, 52.0
FILL_OPACITY = 0.75
AREAS = {
    "square": 4 / math.pi,
    "diamond": 2 * 1.3**2 / math.pi,
    "cross": 3.2 / math.pi,
    **dict.fromkeys(("triangle-up", "triangle-down", "triangle-left", "triangle-right"), 3**0.5 / math.pi),
    **dict.fromkeys(("hourglass", "bowtie"), 2 / math.pi),
    **dict.fromkeys(("diamond-tall", "diamond-wide"), 2 * 0.7 * 1.4 / math.pi),
    "pentagon": 2.5 * math.sin(0.4 * math.pi) / math.pi,
    "hexagon": 1.5 * 3**0.5 / math.pi,
    "octagon": 2 * 2**0.5 / math.pi,
    "star": 5 * 1.4**2 * 0.382 * math.sin(0.2 * math.pi) / math.pi,
    "hexagram": 3.01 / math.pi,
}
"""Of plotly's symbols, as parts of a circle's of the same size."""


@dataclass(frozen=True)
class Mark:
    """A method's place in the picture: what the highest fraction that it reached cost, and its best metric."""

    group: Group
    fraction: float
    time_s: float
    payload_bytes: float
    best: float


def overviews(panel: Panel) -> tuple[Drawn, ...]:
    """A figure for each metric that is aimed at; none where no method reached any fraction."""
    return tuple(drawn for place in drawn_places(panel.runs) if (drawn := _overview(panel, place)))


def marks(runs: Sequence[Run], place: int) -> tuple[Mark, ...]:
    """Of each method that reached a fraction of the target in more than half of its runs: medians over them."""
    goal = goal_of(runs, place)
    found = []
    for group in groups_of(goal.runs):
        for fraction in reversed(goal.fractions):
            (cost,) = ranking(group.runs, place, fraction)
            if cost.time_s is not None and cost.payload_bytes is not None and cost.best is not None:
                found.append(Mark(group, fraction, cost.time_s, cost.payload_bytes, cost.best))
                break
    return tuple(found)


def sizes_px(payload_bytes: Sequence[float], symbols: Sequence[str]) -> list[float]:
    """Sizes of marks: areas are proportional to the bytes, whatever the symbol; the smallest would else not be seen."""
    most = max(payload_bytes)
    diameters = [max(SMALLEST_PX, LARGEST_PX * math.sqrt(each / most)) for each in payload_bytes]
    return [each / math.sqrt(AREAS.get(symbol, 1.0)) for each, symbol in zip(diameters, symbols, strict=True)]


def labels_above(found: Sequence[Mark]) -> list[bool]:
    """Whether each mark's words stand above it: away from its nearest neighbour, so that those of two do not meet.

    Of two at one height the later one's do.
    """
    heights = [mark.best for mark in found]
    tall = (max(heights) - min(heights)) or 1.0
    longest_s = max(mark.time_s for mark in found) or 1.0
    spots = [(mark.best / tall, mark.time_s / longest_s) for mark in found]
    return [
        spot
        >= min((other for other in spots if other is not spot), key=lambda other: math.dist(spot, other), default=spot)
        for spot in spots
    ]


def _overview(panel: Panel, place: int) -> Drawn | None:
    found = marks(panel.runs, place)
    if not found:
        return None
    goal = goal_of(panel.runs, place)
    missing = [group.label for group in groups_of(goal.runs) if group.label not in {mark.group.label for mark in found}]
    return Drawn(
        name=panel.name("figure-1-time-bytes-metric", place),
        title=panel.title("Figure 1: time, bytes and best metric", place),
        caption=panel.caption(
            f"Time to the highest fraction of {goal.words} that a method reached, and its best metric; the area of a "
            "mark is the payload by then, up and down. After FeDeRA's Figure 1.",
            clock_words(panel.runs),
            f"{units.listing(missing)} reached no fraction." if missing else "",
            over_seeds="Over seeds they are medians.",
            marked=False,
        ),
        figure=_figure(found, goal.metric_words),
    )


def _figure(found: Sequence[Mark], metric: str) -> go.Figure:
    clock = units.legible_time_unit(mark.time_s for mark in found)
    figure = blank(f"time, {clock.symbol}", plain(f"best {metric}"))
    diameters = sizes_px([mark.payload_bytes for mark in found], [style(mark.group.method).symbol for mark in found])
    for mark, diameter, above in zip(found, diameters, labels_above(found), strict=True):
        group = mark.group
        look, name = style(group.method), plain(group.label)
        paid = f"{units.percent(mark.fraction)}, {units.byte_unit([mark.payload_bytes]).text(mark.payload_bytes)}"
        whose = f"{plain(group.setting)}: " if group.setting else ""
        figure.add_trace(
            go.Scatter(
                x=[mark.time_s / clock.divisor],
                y=[mark.best],
                name=name,
                meta=group.meta,
                mode="markers+text",
                text=[whose + paid],
                textposition="top center" if above else "bottom center",
                textfont={"size": 11},
                cliponaxis=False,
                marker={
                    "color": translucent(look.colour, FILL_OPACITY),
                    "symbol": look.symbol,
                    "size": diameter,
                    "line": {"color": look.colour, "width": 1.5},
                },
                hovertemplate=f"{paid}<br>%{{x:.4~g}} {clock.symbol}<br>%{{y:.4f}}<extra>{name}</extra>",
            )
        )
    times = [mark.time_s / clock.divisor for mark in found]
    figure.update_xaxes(**_roomy_x(times))
    bests = [mark.best for mark in found]
    room = 0.35 * (max(bests) - min(bests)) or 0.05
    figure.update_yaxes(range=[min(bests) - room, max(bests) + room])
    return figure


def _roomy_x(times: Sequence[float]) -> dict[str, object]:
    """An axis with room beside the outermost marks, for them and their words."""
    if far_apart(times):
        low, high = (math.log10(of(times)) for of in (min, max))
        room = 0.2 * (high - low)
        return {**logarithmic(times), "range": [low - room, high + room]}
    return {"range": [0, 1.2 * max(times)]}
