"""The parts of a page: sizes, anchors, and figures as data that every browser reads."""

from __future__ import annotations

import json
import math

import numpy as np
import plotly.graph_objects as go

from analysis.parts import Charts, Entry, Folded, Section, TablePart, Text, chart
from analysis.plots import Drawn
from analysis.rendering import Column, Table


def drawn(name: str = "one", **layout: object) -> Drawn:
    return Drawn(name, f"Figure {name}", "", go.Figure(go.Scatter(x=(1, 2), y=(1 / 3, 0.5)), layout))


def test_numbers_of_a_chart_are_no_longer_than_a_screen_shows() -> None:
    assert chart(drawn()).figure["data"][0]["y"] == [0.33333, 0.5]
    assert chart(drawn(), digits=4).figure["data"][0]["y"] == [0.3333, 0.5]


def test_rounds_that_count_on_are_written_as_where_they_begin() -> None:
    counting, jumping = go.Scatter(x=[2.0, 3.0, 4.0], y=[5, 6, 7]), go.Scatter(x=[2, 3, 5], y=[5, 6, 7])
    bars = go.Bar(x=[2, 3, 4], y=["a", "b", "c"], orientation="h")
    line, gap, rows = chart(Drawn("one", "One", "", go.Figure([counting, jumping, bars]))).figure["data"]
    assert (line["x0"], line["dx"], line["y"], "x" in line) == (2, 1, [5, 6, 7], False)
    assert (gap["x"], rows["x"]) == ([2, 3, 5], [2, 3, 4])


def test_what_is_no_number_is_nothing_in_json() -> None:
    figure = go.Figure(go.Scatter(y=(math.nan, math.inf, np.float64(2.0), None)))
    (trace,) = chart(Drawn("one", "One", "", figure)).figure["data"]
    assert json.loads(json.dumps(trace))["y"] == [None, None, 2.0, None]


def test_a_figure_with_a_height_has_it_and_one_without_is_a_square() -> None:
    assert chart(drawn(height=340)).style == "height: 340px"
    assert chart(drawn(), side_px=300).style == "aspect-ratio: 1; max-width: 300px"


def test_a_figure_of_several_panels_is_wide() -> None:
    assert chart(drawn(xaxis2={"anchor": "y"})).wide
    assert not chart(drawn()).wide


def test_a_section_lists_its_tables_and_charts_but_not_what_is_folded() -> None:
    table = Table("times", "Times", "", (Column("method"),), (("a",),), ())
    folded = Folded("More", (Charts((chart(drawn("hidden")),)),))
    section = Section("here", "Here", (Text("words"), TablePart(table), Charts((chart(drawn()),)), folded))
    assert section.entries == (Entry("times", "Times"), Entry("one", "Figure one"))
