"""What all figures have in common."""

from __future__ import annotations

from analysis.plots import blank, plain


def test_text_for_plotly_has_no_tags_and_entities() -> None:
    assert plain("<b>a & b</b>") == "&lt;b&gt;a &amp; b&lt;/b&gt;"


def test_an_empty_figure_leaves_legend_title_and_colours_to_the_page() -> None:
    layout = blank("round", "accuracy").layout
    assert (layout.showlegend, layout.title.text, layout.paper_bgcolor) == (False, None, None)
    assert (layout.xaxis.title.text, layout.yaxis.title.text, layout.height) == ("round", "accuracy", 340)


def test_a_figure_without_a_height_takes_that_of_its_place() -> None:
    assert blank("client", "client", height=None).layout.height is None
