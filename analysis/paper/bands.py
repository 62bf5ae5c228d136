"""Several curves of one method as one: their median as a line, and a band from the least to the greatest; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import plotly.graph_objects as go

from analysis.figures import MOST_MARKERS
from analysis.groups import Group
from analysis.palette import marker, style
from analysis.plots import plain

BAND_OPACITY = 0.16


@dataclass(frozen=True)
class Band:
    """The least, the median and the greatest of several curves at each of ``xs``."""

    xs: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]

    def moved(self, xs: Mapping[float, float], divisor: float = 1.0) -> Band:
        """The same band over other values of x, in units of ``divisor``."""
        return Band(tuple(xs[x] / divisor for x in self.xs), self.low, self.middle, self.high)


def band_of(curves: Sequence[Mapping[float, float]]) -> Band:
    """The band of curves, each y by x, at those x that more than half of the curves have."""
    found = sorted({x for curve in curves for x in curve})
    columns = {x: [curve[x] for curve in curves if x in curve] for x in found}
    kept = {x: ys for x, ys in columns.items() if 2 * len(ys) > len(curves)}
    return Band(tuple(kept), *(tuple(of(ys) for ys in kept.values()) for of in (min, median, max)))


def held(curves: Sequence[Mapping[float, float]]) -> Band:
    """The band of step functions that keep their last y: from where all of them have begun, to the last end."""
    begun = max((min(curve, default=math.inf) for curve in curves), default=math.inf)
    grid = [x for x in sorted({x for curve in curves for x in curve}) if x >= begun]
    return band_of([_stepped(curve, grid) for curve in curves])


def add_band(figure: go.Figure, group: Group, band: Band, hover: str, steps: bool = False) -> None:
    """Draw a group's band below its median; the band alone where there are several runs. ``hover`` has x and y."""
    look = style(group.method)
    common: dict[str, Any] = {"x": band.xs, "meta": group.meta, "name": plain(group.label)}
    shape = {"shape": "hv" if steps else "linear"}
    if len(group.runs) > 1:
        edge = {**common, "mode": "lines", "line": {**shape, "width": 0}, "hoverinfo": "skip", "showlegend": False}
        figure.add_trace(go.Scatter(y=band.low, **edge))
        figure.add_trace(go.Scatter(y=band.high, fill="tonexty", fillcolor=translucent(look.colour), **edge))
    figure.add_trace(
        go.Scatter(
            y=band.middle,
            mode="lines+markers",
            line={**shape, "color": look.colour, "dash": look.dash, "width": 2.5 if group.method == "federa" else 2},
            marker=marker(group.method, group.variant) | {"maxdisplayed": MOST_MARKERS},
            hovertemplate=f"{hover}<extra>{plain(group.label)}</extra>",
            **common,
        )
    )


def translucent(colour: str, opacity: float = BAND_OPACITY) -> str:
    """A colour as #rrggbb, made translucent."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def _stepped(curve: Mapping[float, float], grid: Sequence[float]) -> dict[float, float]:
    ordered, values, last = sorted(curve), {}, 0.0
    place = 0
    for x in grid:
        while place < len(ordered) and ordered[place] <= x:
            last = curve[ordered[place]]
            place += 1
        values[x] = last
    return values
