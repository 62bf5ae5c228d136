"""Time to a fraction of a target by the rate of the links, with the crossovers marked; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from analysis import units
from analysis.palette import marker, style
from analysis.plots import blank, plain
from analysis.retime.rates import Crossover, MethodLine
from analysis.units import MBITS, Unit

POINTS = 121
SYMBOLS = 7  # on a line
STEPS = (1, 2, 5)
MOST_DECADES = 3.2
"""Of an axis whose ticks are 1, 2 and 5 times the powers of ten; with more only these have one."""
AIR = 1.03
"""Beyond both ends of an axis: a tick on its very end has no label."""
GREY = "#888888"


def time_by_rate(
    lines: Sequence[MethodLine],
    found: Sequence[Crossover],
    range_bps: tuple[float, float],
    own_bps: tuple[float, float] | None = None,
    height: int = 460,
) -> go.Figure:
    """Time by rate, both on logarithmic axes, a line for each method that reached the target.

    A ring marks each crossover of ``found``, with its rate. ``own_bps`` are the lowest and highest rate of the link
    that the tables are about.
    """
    rates_bps = _spaced(*range_bps, POINTS)
    drawn = [(line, [line.seconds(rate_bps) for rate_bps in rates_bps]) for line in lines if line.reached]
    seconds = [value for _, values in drawn for value in values]
    clock = units.time_unit([math.sqrt(min(seconds) * max(seconds))] if seconds else [])
    figure = blank(f"rate of every link, {MBITS.symbol}", f"time, {clock.symbol}", height=height)
    top, bottom = max(seconds, default=1.0) * 1.25 / clock.divisor, min(seconds, default=1.0) / 1.25 / clock.divisor
    if own_bps is not None:
        _add_own(figure, own_bps, bottom, top)
    for line, values in drawn:
        figure.add_trace(_line(line, rates_bps, values, clock))
    if found:
        figure.add_trace(_rings(found, math.sqrt(range_bps[0] * range_bps[1]), clock))
    _logarithmic(figure, "xaxis", *(bps / MBITS.divisor for bps in range_bps))
    _logarithmic(figure, "yaxis", bottom, top)
    return figure


def _spaced(low: float, high: float, count: int) -> list[float]:
    """Numbers at equal distances on a logarithmic axis, both ends among them."""
    return [low * (high / low) ** (place / (count - 1)) for place in range(count)]


def _line(line: MethodLine, rates_bps: Sequence[float], seconds: Sequence[float], clock: Unit) -> go.Scatter:
    look, name = style(line.method), plain(line.label)
    return go.Scatter(
        x=[rate_bps / MBITS.divisor for rate_bps in rates_bps],
        y=[value / clock.divisor for value in seconds],
        name=name,
        meta={"method": line.method} | ({"setting": line.setting} if line.setting else {}),
        mode="lines+markers",
        line={"color": look.colour, "dash": look.dash, "width": 2.5 if line.method == "federa" else 2},
        marker=marker(line.method, line.variant) | {"maxdisplayed": SYMBOLS},
        hovertemplate=f"%{{y:.4~g}} {clock.symbol}<br>%{{x:.4~g}} {MBITS.symbol}<extra>{name}</extra>",
    )


def _rings(found: Sequence[Crossover], middle_bps: float, clock: Unit) -> go.Scatter:
    """A ring and its rate at each crossover: above and below in turn, towards the middle of the axis."""
    heights = ("top" if place % 2 == 0 else "bottom" for place in range(len(found)))
    sides = ("right" if crossover.rate_bps < middle_bps else "left" for crossover in found)
    return go.Scatter(
        x=[crossover.rate_bps / MBITS.divisor for crossover in found],
        y=[crossover.seconds / clock.divisor for crossover in found],
        name="crossovers",
        mode="markers+text",
        marker={"symbol": "circle-open", "size": 15, "color": GREY, "line": {"width": 2, "color": GREY}},
        text=[units.significant(crossover.rate_bps / MBITS.divisor) for crossover in found],
        textposition=[f"{height} {side}" for height, side in zip(heights, sides, strict=True)],
        customdata=[f"{plain(each.faster)} is faster than<br>{plain(each.slower)} above this rate" for each in found],
        hovertemplate=f"%{{x:.6~g}} {MBITS.symbol}, %{{y:.4~g}} {clock.symbol}<br>%{{customdata}}<extra></extra>",
        cliponaxis=False,
    )


def _add_own(figure: go.Figure, own_bps: tuple[float, float], bottom: float, top: float) -> None:
    """The rates of the link that the tables are about: a line, or a band where they change."""
    low, high = (bps / MBITS.divisor for bps in own_bps)
    figure.add_trace(
        go.Scatter(
            x=[low, low, high, high] if high > low else [low, low],
            y=[bottom, top, top, bottom] if high > low else [bottom, top],
            mode="lines",
            line={"color": GREY, "width": 1, "dash": "dot"},
            fill="toself" if high > low else "none",
            fillcolor="rgba(136,136,136,0.14)",
            hoverinfo="skip",
        )
    )


def _logarithmic(figure: go.Figure, axis: str, low: float, high: float) -> None:
    """A logarithmic axis with plain numbers at its ticks."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = STEPS if math.log10(high / low) <= MOST_DECADES else STEPS[:1]
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    low, high = low / AIR, high * AIR
    layout: dict[str, Any] = {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": ticks,
        "ticktext": [f"{tick:,.10g}" for tick in ticks],
    }
    figure.update_layout({axis: layout})
