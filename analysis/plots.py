"""What the plotly figures of a report have in common; pure. The page brings colours of text and grid, and legends."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go


@dataclass(frozen=True)
class Drawn:
    """A figure with its words: ``name`` is that of a file without suffix, and its anchor in a page.

    A figure without a height is a square. A trace whose ``meta`` is a method's name belongs to that method: a page's
    legend shows and hides it, alone or with ``"method"`` as a key of a mapping in ``meta``.
    """

    name: str
    title: str
    caption: str
    figure: go.Figure


def blank(x_title: str, y_title: str, height: int | None = 340, right: int = 16) -> go.Figure:
    """An empty figure: no template, no legend, no title (the page has them), numbers on plain axes.

    Without a height it takes that of its place in the page.
    """
    axis: dict[str, Any] = {"zeroline": False, "ticks": "outside", "ticklen": 4, "automargin": True}
    return go.Figure(
        layout={
            "template": "none",
            "height": height,
            "margin": {"l": 8, "r": right, "t": 10, "b": 8},
            "showlegend": False,
            "hovermode": "closest",
            "xaxis": {**axis, "title": {"text": x_title, "standoff": 8}},
            "yaxis": {**axis, "title": {"text": y_title, "standoff": 8}},
        }
    )


def rows_downwards(figure: go.Figure, rows: Iterable[str]) -> None:
    """Give the vertical axis these rows, the first one on top, and no title: their names say what they are."""
    figure.update_yaxes(
        autorange="reversed",
        showgrid=False,
        automargin=True,
        title=None,
        ticks="",
        type="category",
        categoryorder="array",
        categoryarray=[plain(row) for row in rows],
    )


def slug(text: str) -> str:
    """Words as a part of a file's name: "Alpha 0.1, seed 3" is alpha-0.1-seed-3."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")


def plain(text: str) -> str:
    """Text for plotly, which reads a few tags and entities in labels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
