"""How far the global A and B move, by layer and by round: FeDeRA's Figures 5 and 6, eq. 19-22; pure.

A recorded drift has a name such as ``layer.0.query.A``: the numbers in it are the layer, its end is the factor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

import plotly.graph_objects as go

from analysis.axes import far_apart, logarithmic
from analysis.groups import groups_of
from analysis.load import Run
from analysis.paper.bands import add_band, band_of
from analysis.paper.panels import Panel
from analysis.plots import Drawn, blank

Layer = tuple[int, ...]


class Quantity(NamedTuple):
    """One of the two variations: its place in a record, the paper's figure of it, and its words."""

    place: int
    figure: int
    name: str
    meaning: str


QUANTITIES = (
    Quantity(0, 5, "magnitude", "Mean absolute change of the column norms of the global {} in a round (eq. 19, 20)"),
    Quantity(
        1,
        6,
        "direction",
        "Mean of 1 - cosine of the columns of the global {} before and after a round (eq. 21, 22), of those that are "
        "not zero",
    ),
)


class Moved(NamedTuple):
    """One variation of one factor in one round."""

    round: int
    layer: Layer
    value: float


def drift_figures(panel: Panel) -> tuple[Drawn, ...]:
    """Each variation of A and of B, by layer and by round; of those runs that recorded it."""
    runs = tuple(run for run in panel.runs if any(record.drift for record in run.rounds))
    drawn = Panel(panel.words, runs)
    return tuple(
        _drawn(drawn, quantity, factor, along)
        for quantity in QUANTITIES
        for along in ("layer", "round")
        for factor in "AB"
        if any(moves(run, quantity.place, factor) for run in runs)
    )


def moves(run: Run, place: int, factor: str) -> list[Moved]:
    """All that was recorded of a factor: magnitude (place 0) or direction (1)."""
    return list(_moves(run, place, factor))


def _moves(run: Run, place: int, factor: str) -> Iterator[Moved]:
    for record in run.rounds:
        for name, variations in (record.drift or {}).items():
            *path, end = name.split(".")
            value = variations[place]
            if end == factor and value is not None:
                yield Moved(record.round, tuple(int(part) for part in path if part.isdigit()), value)


def _drawn(panel: Panel, quantity: Quantity, factor: str, along: str) -> Drawn:
    over = "rounds" if along == "layer" else "layers"
    return Drawn(
        name=panel.name(f"figure-{quantity.figure}-{quantity.name}-of-{factor}-by-{along}"),
        title=panel.title(f"Figure {quantity.figure}: {quantity.name} variation of {factor} by {along}"),
        caption=panel.caption(
            f"{quantity.meaning.format(factor)}, mean over {over} and over the adapted weights of a layer, "
            f"after FeDeRA's Figure {quantity.figure}.",
            "Layers are counted from 0." if along == "layer" else "",
        ),
        figure=_figure(panel.runs, quantity, factor, along),
    )


def _figure(runs: Sequence[Run], quantity: Quantity, factor: str, along: str) -> go.Figure:
    figure = blank(along, f"{quantity.name} variation of {factor}")
    layers = sorted({move.layer for run in runs for move in moves(run, quantity.place, factor)})
    places = {layer: float(place) for place, layer in enumerate(layers)}
    key: Callable[[Moved], float] = (lambda move: places[move.layer]) if along == "layer" else (lambda move: move.round)
    drawn: list[float] = []
    for group in groups_of(runs):
        band = band_of([_means(moves(run, quantity.place, factor), key) for run in group.runs])
        add_band(figure, group, band, f"{along} %{{x}}<br>%{{y:.4~g}}")
        drawn += [*band.low, *band.high]
    if far_apart(drawn):
        figure.update_yaxes(**logarithmic(drawn))
    else:
        figure.update_yaxes(rangemode="tozero", exponentformat="power")
    if along == "layer":
        names = [".".join(map(str, layer)) for layer in layers]
        figure.update_xaxes(tickvals=list(places.values()), ticktext=names)
    else:
        figure.update_xaxes(rangemode="tozero")
    return figure


def _means(moved: Sequence[Moved], key: Callable[[Moved], float]) -> dict[float, float]:
    """The mean value of each key."""
    found: dict[float, list[float]] = {}
    for move in moved:
        found.setdefault(key(move), []).append(move.value)
    return {at: fmean(values) for at, values in found.items()}
