"""A chart as paper wants it: white, with a legend of its own and larger letters, at a fixed size; pure.

In a page colours of text and grid, legends and the scale of heat maps are the page's; a file has nothing around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from analysis.parts import Chart, Charts, Folded, Legend, Section
from analysis.plots import plain
from analysis.stats import method_name

WIDTH_PX, WIDE_PX, SQUARE_PX, LEGEND_PX = 720, 1080, 600, 100
SCALE_PX = 90  # beside a heat map, for its colours
FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
FONT_PX, TICK_PX, NOTE_PX = 15, 13, 12
LINE_PX, MARK_PX = 44, 30  # of an entry of the legend; plotly allows no less
INK, LINE, GRID = "#1a1a1a", "#555555", "#e4e4e4"


@dataclass(frozen=True)
class Plate:
    """A chart that stands alone. ``marks`` are names and symbols of what its marks mean, where that is needed."""

    chart: Chart
    marks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Printed:
    """A figure with its words, as plain data for plotly, in pixels."""

    name: str
    title: str
    caption: str
    figure: Mapping[str, Any]
    width_px: int
    height_px: int


def plates_of(sections: Sequence[Section]) -> tuple[Plate, ...]:
    """All charts of a report, in its order, each with the legend of marks that stands right above it."""
    return tuple(plate for section in sections for plate in _plates(section.blocks))


def printed(plate: Plate) -> Printed:
    """The chart with everything that a page would bring."""
    chart = plate.chart
    figure: dict[str, Any] = deepcopy(dict(chart.figure))
    data, layout = list(figure["data"]), figure["layout"]
    height_px = layout.get("height")
    maps = [trace for trace in data if trace.get("type") == "heatmap"]
    for trace in maps:
        _unpack(trace)
    shown = _legend(data, plate.marks)
    width_px = WIDE_PX if chart.wide else WIDTH_PX if height_px else SQUARE_PX + SCALE_PX
    full_px = round(height_px + LEGEND_PX) if height_px else SQUARE_PX
    _restyle(layout, shown, lines=any(trace.get("showlegend") and "line" in trace for trace in data))
    layout.update(width=width_px, height=full_px, autosize=False)
    return Printed(
        name=chart.name,
        title=chart.title,
        caption=chart.caption,
        figure={"data": data, "layout": layout},
        width_px=width_px,
        height_px=full_px,
    )


def _plates(blocks: Sequence[Any]) -> Iterator[Plate]:
    marks: tuple[tuple[str, str], ...] = ()
    for block in blocks:
        if isinstance(block, Legend):
            marks = block.fractions
            continue
        if isinstance(block, Folded):
            yield from _plates(block.blocks)
        charts = block.charts if isinstance(block, Charts) else (block,) if isinstance(block, Chart) else ()
        yield from (Plate(chart, marks) for chart in charts)
        marks = ()


def _unpack(trace: dict[str, Any]) -> None:
    """Give a heat map its values, which travel in thousandths (:mod:`analysis.partition_figures`), and its scale."""
    packed = trace.get("meta", {}).get("thousandths")
    if packed:
        trace["z"] = [[value / 1000 for value in row] for row in _whole(packed)]
    trace["showscale"] = True
    bar = {"thickness": 14, "outlinewidth": 0, "tickfont": {"size": TICK_PX, "color": INK}}
    trace["colorbar"] = {**trace.get("colorbar", {}), **bar}


def _whole(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """A matrix of which, where it is symmetric, only what stands right of the diagonal came."""
    width = len(rows[0])
    whole: list[list[int]] = []
    for place, row in enumerate(rows):
        whole.append([*(above[place] for above in whole[: width - len(row)]), *row])
    return whole


def _legend(data: list[dict[str, Any]], marks: Sequence[tuple[str, str]]) -> bool:
    """One entry for each method, or phase that took any time, or mark; whether there are two, and so a legend."""
    if marks:
        for trace in data:
            trace["showlegend"] = False
        data.extend(_mark(name, symbol) for name, symbol in marks)
        return True
    entries: set[str] = set()
    for trace in data:
        entry = _entry(trace)
        if trace.get("showlegend") is False or not entry or _took_nothing(trace):
            trace["showlegend"] = False
            continue
        trace.update(name=entry, legendgroup=entry, showlegend=entry not in entries)
        entries.add(entry)
    return len(entries) > 1


def _entry(trace: Mapping[str, Any]) -> str:
    """What a trace is called in the legend: its phase, or its method, which may have settings, or its own name."""
    meta = trace.get("meta")
    if isinstance(meta, Mapping) and "phase" not in meta and "method" in meta:
        return plain(meta.get("setting") or method_name(meta["method"]))
    return str(trace.get("name") or "")


def _took_nothing(trace: Mapping[str, Any]) -> bool:
    """Whether a trace is a phase without a second."""
    if "phase" not in (trace.get("meta") or {}):
        return False
    return not any(trace.get("x" if trace.get("orientation") == "h" else "y") or ())


def _mark(name: str, symbol: str) -> dict[str, Any]:
    """A trace that draws nothing, for its entry in the legend."""
    marker = {"symbol": symbol, "color": LINE, "size": 10}
    return {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "name": name, "marker": marker}


def _restyle(layout: dict[str, Any], legend: bool, lines: bool) -> None:
    """Fonts and colours; the legend has room for dashes where it shows ``lines``."""
    layout.update(
        paper_bgcolor="white",
        plot_bgcolor="white",
        font={"family": FONT, "size": FONT_PX, "color": INK},
        showlegend=legend,
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "itemwidth": LINE_PX if lines else MARK_PX,
            "font": {"size": FONT_PX},
            "traceorder": "normal",
        },
        margin={**layout.get("margin", {}), "t": 16, "l": 12, "b": 12},
    )
    for name, axis in layout.items():
        if name.startswith(("xaxis", "yaxis")) and isinstance(axis, dict):
            axis.update(gridcolor=GRID, linecolor=LINE, tickcolor=LINE, showline=True)
            axis["title"] = {**(axis.get("title") or {}), "font": {"size": FONT_PX, "color": INK}}
            axis["tickfont"] = {**(axis.get("tickfont") or {}), "size": TICK_PX, "color": INK}
    for annotation in layout.get("annotations", ()):
        annotation["font"] = {**annotation.get("font", {}), "size": NOTE_PX, "color": INK}
