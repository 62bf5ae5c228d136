"""A page writes each long list of numbers once."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from analysis.parts import Block, Charts, Folded, Section, Text, chart
from analysis.plots import Drawn
from analysis.sharing import LONG, shared

METRIC = [0.5 + 0.001 * at * at for at in range(LONG)]
SECONDS = [3.7 * at * at for at in range(LONG)]


def drawn(name: str, xs: list[float], ys: list[float]) -> Any:
    return chart(Drawn(name, name, "", go.Figure(go.Scatter(x=xs, y=ys))))


def of(*blocks: Block) -> tuple[Block, ...]:
    (section,) = shared([Section("curves", "Curves", blocks)])
    return section.blocks


def test_the_first_chart_keeps_a_list_and_later_ones_name_it_folded_or_not() -> None:
    by_time, by_bytes = drawn("by-time", SECONDS, METRIC), drawn("by-bytes", METRIC, METRIC)
    words, first, folded = of(Text("words"), Charts((by_time,)), Folded("more", (by_bytes,)))
    assert words == Text("words")
    assert first == Charts((by_time,))
    (trace,) = folded.blocks[0].figure["data"]
    assert (trace["x"], trace["y"]) == ({"of": ["by-time", 0, "y"]}, {"of": ["by-time", 0, "y"]})
    assert folded.blocks[0].figure["layout"] == by_bytes.figure["layout"]


def test_lists_that_are_short_or_their_own_stay() -> None:
    short, other = drawn("short", SECONDS[:3], METRIC[:3]), drawn("other", METRIC, SECONDS)
    assert of(short, short, other) == (short, short, other)


def test_charts_themselves_are_not_changed() -> None:
    one, two = drawn("one", SECONDS, METRIC), drawn("two", SECONDS, METRIC)
    of(one, two)
    assert two.figure["data"][0]["x"] != {"of": ["one", 0, "x"]}
