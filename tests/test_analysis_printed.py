"""What a chart gets before it stands alone in a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from run_folders import DEMO, demo, experiment, partition, run

from analysis import figures, partition_figures, phase_figures
from analysis.export.printed import Plate, plates_of, printed
from analysis.load import Run
from analysis.paper.curves import by_round
from analysis.paper.panels import panels_of
from analysis.partitions import SharedPartition
from analysis.parts import Charts, Folded, Legend, Section, Text, chart
from analysis.plots import Drawn, blank
from harness import divergence

ALL = tuple(demo(method, rounds=6) for method in DEMO)
MARKS = (("90 %", "circle"), ("95 %", "diamond"))


def plate(figure: Any, marks: tuple[tuple[str, str], ...] = ()) -> Plate:
    return Plate(chart(Drawn("one", "One", "It shows one.", figure)), marks)


def entries(made: Plate) -> list[str]:
    """What the legend says."""
    figure = printed(made).figure
    assert figure["layout"]["showlegend"] is True
    return [trace["name"] for trace in figure["data"] if trace.get("showlegend", True)]


def test_a_legend_names_each_method_once_whatever_its_seeds() -> None:
    seeds: list[Run] = [demo(method, seed=seed) for method in ("fedlr", "federa") for seed in range(3)]
    assert entries(plate(figures.metric_by_round(ALL))) == ["FedFT", "FedBF", "FedAP", "FedLR", "FeDeRA"]
    assert entries(plate(figures.metric_by_round(seeds))) == ["FedLR", "FeDeRA"]


def test_bars_are_named_by_their_phases() -> None:
    named = entries(plate(phase_figures.phases_by_method(ALL)))
    assert named[:3] == ["train", "download", "upload"]
    assert len(set(named)) == len(named)


def test_over_seeds_the_legend_shows_the_median_and_not_the_edge_of_a_band() -> None:
    runs = [demo(method, seed=seed) for method in ("fedlr", "federa") for seed in range(2)]
    (panel,) = panels_of(runs)
    (drawn,) = by_round(panel)
    shown = [trace for trace in printed(plate(drawn.figure)).figure["data"] if trace["showlegend"]]
    assert [trace["name"] for trace in shown] == ["FedLR", "FeDeRA"]
    assert all(trace["line"]["width"] > 0 for trace in shown)


def test_settings_of_a_method_have_entries_of_their_own_whatever_their_seeds() -> None:
    made = [run(of=experiment(link={"name": link}), seed=seed) for link in ("lte", "wifi") for seed in range(2)]
    assert entries(plate(figures.metric_by_round(made))) == ["FeDeRA link lte", "FeDeRA link wifi"]


def test_a_phase_that_took_no_time_has_no_entry() -> None:
    idle = [msgspec.structs.replace(record, wait_s=0.0, other_s=0.0) for record in run().rounds]
    made = replace(run(), rounds=tuple(idle))
    for figure in (phase_figures.phases_by_round(made), phase_figures.phases_by_method([made])):
        assert entries(plate(figure)) == ["train", "download", "upload", "load", "aggregate"]


def test_marks_are_explained_where_rows_have_their_names_already() -> None:
    assert entries(plate(figures.milestones(ALL), MARKS)) == ["90 %", "95 %"]


def test_one_method_needs_no_legend() -> None:
    assert printed(plate(figures.metric_by_round([run()]))).figure["layout"]["showlegend"] is False


def test_it_is_white_with_room_for_what_a_page_brings() -> None:
    drawn = plate(figures.metric_by_round(ALL))
    made = printed(drawn)
    layout = made.figure["layout"]
    assert (layout["paper_bgcolor"], layout["plot_bgcolor"]) == ("white", "white")
    assert (layout["width"], layout["height"]) == (made.width_px, made.height_px)
    assert made.height_px > drawn.chart.figure["layout"]["height"]
    assert layout["xaxis"]["title"]["text"] == "round"
    assert layout["xaxis"]["gridcolor"] == layout["yaxis"]["gridcolor"]
    assert "paper_bgcolor" not in drawn.chart.figure["layout"]  # the page's own figure stays as it is


def test_a_heat_map_has_its_values_and_the_scale_of_its_colours() -> None:
    held = partition(clients=9, classes=4)
    made = printed(plate(partition_figures.divergence_map(SharedPartition(held, ()))))
    (trace,) = made.figure["data"]
    between = divergence.between_clients(np.array(held.counts))
    np.testing.assert_allclose(trace["z"], between, atol=0.0005 + 1e-9)
    assert trace["showscale"] is True
    assert trace["colorbar"]["title"]["text"] == "Jensen-Shannon divergence"
    (shares,) = printed(plate(partition_figures.class_map(SharedPartition(held, ())))).figure["data"]
    assert np.array(shares["z"]).shape == (4, 9)


def test_several_panels_get_a_wide_page() -> None:
    wide = blank("x", "y").update_layout(xaxis2={"title": {"text": "other"}})
    assert printed(plate(wide)).width_px > printed(plate(blank("x", "y"))).width_px


def test_all_charts_of_all_sections_are_found_each_with_the_marks_above_it() -> None:
    first, second, third, fourth = (chart(Drawn(name, name, "", blank("x", "y"))) for name in "abcd")
    sections = (
        Section("one", "One", (Legend("methods"), Legend("fractions", MARKS), first, Text("words"), second)),
        Section("two", "Two", (Folded("more", (Charts((third,), small=True),)), Charts((fourth,)))),
    )
    found = plates_of(sections)
    assert [plate.chart.name for plate in found] == ["a", "b", "c", "d"]
    assert [plate.marks for plate in found] == [MARKS, (), (), ()]
