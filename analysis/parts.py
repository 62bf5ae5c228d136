"""What a page is made of: sections of blocks, each of a kind that a template of its own shows; pure data.

Every section, table and chart has an anchor, so a table of contents follows from the sections alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from analysis.plots import Drawn
from analysis.rendering import Table

DIGITS = 5
"""Of a number in a chart: more than a screen shows, a third of what a float is written with."""


@dataclass(frozen=True)
class Link:
    """Where a file of the same folder tree lies, seen from the page: always a relative address."""

    label: str
    address: str


@dataclass(frozen=True)
class Links:
    """The files that were found beside a page: of tables and figures by their names, of runs by their ids."""

    tables: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)
    figures: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)
    runs: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)


NO_LINKS = Links()


@dataclass(frozen=True)
class Chart:
    """A figure with its words. A figure without a height is a square, at most ``side_px`` wide.

    One that is all ``method``'s goes when a legend hides that method.
    """

    kind: ClassVar[str] = "chart"
    name: str
    title: str
    figure: Mapping[str, Any]
    caption: str = ""
    side_px: int = 560
    method: str = ""
    links: tuple[Link, ...] = ()

    @property
    def style(self) -> str:
        """The size of its place in the page, as CSS."""
        height_px = self.figure["layout"].get("height")
        return f"height: {height_px:g}px" if height_px else f"aspect-ratio: 1; max-width: {self.side_px}px"

    @property
    def wide(self) -> bool:
        """Whether it holds several panels and wants a row of its own."""
        return "xaxis2" in self.figure["layout"]


@dataclass(frozen=True)
class TablePart:
    """A table and the files that hold it."""

    kind: ClassVar[str] = "table"
    table: Table
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Charts:
    """Charts side by side where there is room; small ones are more in a row."""

    kind: ClassVar[str] = "charts"
    charts: tuple[Chart, ...]
    small: bool = False


@dataclass(frozen=True)
class Legend:
    """``of`` what: "methods" and "phases" hide and show what charts draw of them, "fractions" explain marks."""

    kind: ClassVar[str] = "legend"
    of: str
    fractions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Text:
    """A paragraph, which may end with a link; ``role`` is its class: "lead", "quiet" or "whose", a small heading."""

    kind: ClassVar[str] = "text"
    text: str
    role: str = "lead"
    link: Link | None = None


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    kind: ClassVar[str] = "facts"
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Scale:
    """The colours of heat maps, from 0 to 1."""

    kind: ClassVar[str] = "scale"


@dataclass(frozen=True)
class Folded:
    """Blocks behind a line that opens them; what is inside is drawn when it is opened."""

    kind: ClassVar[str] = "folded"
    title: str
    blocks: tuple[Any, ...]


@dataclass(frozen=True)
class Special:
    """What one template alone shows: ``name`` says which, ``content`` is what it shows."""

    kind: ClassVar[str] = "special"
    name: str
    content: Any


Block = Chart | TablePart | Charts | Legend | Text | Facts | Scale | Folded | Special


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents."""

    anchor: str
    title: str


@dataclass(frozen=True)
class Section:
    """A heading and the blocks below it."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its tables and charts, for the table of contents; not what is folded away."""
        found: list[Entry] = []
        for block in self.blocks:
            if isinstance(block, TablePart):
                found.append(Entry(block.table.name, block.table.title))
            charts = block.charts if isinstance(block, Charts) else (block,) if isinstance(block, Chart) else ()
            found += [Entry(chart.name, chart.title) for chart in charts]
        return tuple(found)


def chart(
    drawn: Drawn, side_px: int = 560, links: Sequence[Link] = (), method: str = "", digits: int = DIGITS
) -> Chart:
    """A drawn figure as a part of a page: plain data, its numbers no longer than a screen can show."""
    figure = _short(drawn.figure.to_plotly_json(), digits)
    return Chart(
        name=drawn.name,
        title=drawn.title,
        figure=figure | {"data": [_counted_on(trace) for trace in figure["data"]]},
        caption=drawn.caption,
        side_px=side_px,
        method=method,
        links=tuple(links),
    )


def _short(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None  # JSON knows neither NaN nor infinity
    if isinstance(value, Mapping):
        return {key: _short(each, digits) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(each, digits) for each in value]
    return value


def _counted_on(trace: dict[str, Any]) -> dict[str, Any]:
    """The line or area with where its x begins instead of every x, where these count on: a thousand rounds are a
    quarter of what a figure of them is written with.
    """
    xs = trace.get("x")
    if trace["type"] != "scatter" or not isinstance(xs, list) or len(xs) < 3 or not isinstance(xs[0], (int, float)):
        return trace
    first = int(xs[0])
    if xs != [*range(first, first + len(xs))]:
        return trace
    return {key: value for key, value in trace.items() if key != "x"} | {"x0": first, "dx": 1}
