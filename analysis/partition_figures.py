"""Heat maps of what clients hold; pure. Values travel in thousandths, and the page's script unpacks them.

300 clients have 90,000 pairs: as rounded floats they would add half a megabyte to a page, as integers of one half of
the symmetric matrix they add a third of that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from analysis.palette import SHARE_SCALE
from analysis.partitions import SharedPartition
from analysis.plots import blank, plain
from harness.divergence import Matrix

LONGEST_NAME = 16
MOST_NAMES = 60  # of classes; beyond, some stand for all
MOST_CELLS_WITH_NUMBERS = 8  # in a row
AXES_PX, CLIENT_PX, CLASS_PX, MOST_PX = 70, 44, 14, 560


def side_px(shared: SharedPartition) -> int:
    """How wide and high the square of :func:`divergence_map` should be at most: cells of few clients stay small."""
    return min(MOST_PX, AXES_PX + CLIENT_PX * max(3, len(shared.samples)))


def divergence_map(shared: SharedPartition) -> go.Figure:
    """Divergence of each pair of clients, as FeDeRA's Figure 7, on a scale that is always from 0 to 1.

    It has no height: the page gives it a square.
    """
    clients = len(shared.samples)
    thousandths = _thousandths(shared.between)
    triangle = [row[place:] for place, row in enumerate(thousandths)]
    figure = blank("client", "client", height=None)
    figure.add_trace(
        go.Heatmap(
            meta={"thousandths": triangle},
            hovertemplate="clients %{x} and %{y}: %{z:.3f}<extra></extra>",
            **_scale(clients, "%{z:.2f}", "Jensen-Shannon divergence"),
        )
    )
    figure.update_xaxes(constrain="domain", showgrid=False, **_client_ticks(clients))
    figure.update_yaxes(
        autorange="reversed", scaleanchor="x", constrain="domain", showgrid=False, **_client_ticks(clients)
    )
    return figure


def class_map(shared: SharedPartition) -> go.Figure:
    """The share of each class in each client's samples: a column a client, a row a class; the samples on hover."""
    counts = np.array(shared.partition.counts).T
    classes, clients = counts.shape
    names = [plain(name) for name in shared.partition.classes]
    rows_px = CLASS_PX * min(classes, MOST_NAMES)
    figure = blank("client", "", height=AXES_PX + max(rows_px, min(CLIENT_PX * classes, side_px(shared) - AXES_PX)))
    figure.add_trace(
        go.Heatmap(
            y=names,
            text=counts.tolist(),
            meta={"thousandths": _thousandths(counts / counts.sum(axis=0))},
            hovertemplate="client %{x}, %{y}: %{text} samples, %{z:.1%} of its own<extra></extra>",
            **_scale(clients, "%{text}", "share of a client's samples"),
        )
    )
    figure.update_xaxes(showgrid=False, **_client_ticks(clients))
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False, ticks="", title=None)
    if classes <= MOST_NAMES:
        figure.update_yaxes(
            tickvals=names,
            ticktext=[plain(shortened(name)) for name in shared.partition.classes],
            tickfont={"size": 11},
        )
    return figure


def shortened(name: str) -> str:
    """A class's name for an axis: a long one keeps its beginning and its end, where names of one family differ."""
    if len(name) <= LONGEST_NAME:
        return name
    end = LONGEST_NAME // 2 - 1
    return f"{name[: LONGEST_NAME - 1 - end]}\N{HORIZONTAL ELLIPSIS}{name[-end:]}"


def _thousandths(shares: Matrix) -> list[list[int]]:
    rounded: list[list[int]] = np.rint(shares * 1000).astype(int).tolist()
    return rounded


def _scale(columns: int, number: str, words: str) -> dict[str, Any]:
    """Colours from 0 to 1, the numbers themselves where cells are large, thin lines between them.

    The colours are explained by the page; ``words`` are for a figure that stands alone.
    """
    few = columns <= MOST_CELLS_WITH_NUMBERS
    return {
        "zmin": 0,
        "zmax": 1,
        "colorscale": list(SHARE_SCALE),
        "showscale": False,
        "colorbar": {"title": {"text": words, "side": "right"}},
        "xgap": 2 if few else 0,
        "ygap": 2 if few else 0,
        "texttemplate": number if few else None,
    }


def _client_ticks(clients: int) -> dict[str, Any]:
    """Whole numbers alone; clients are counted from 0."""
    return {"tick0": 0, "dtick": 1} if clients <= MOST_CELLS_WITH_NUMBERS else {"tickformat": "d"}
