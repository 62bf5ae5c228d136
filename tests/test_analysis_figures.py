"""What figures hold; how they look is the browser test's."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from run_folders import DEMO, QUESTIONS, demo, experiment, run

from analysis import figures
from analysis.palette import STYLES, style
from harness.profiles import TargetProfile

ALL = [demo(method, rounds=6) for method in DEMO]


def test_only_evaluated_rounds_are_points() -> None:
    (line,) = figures.metric_by_time([run(metrics=(0.5, None, 0.7))]).data
    assert (list(line.x), list(line.y)) == ([4.0, 12.0], [0.5, 0.7])


def test_a_method_has_one_colour_in_every_figure() -> None:
    for figure in (figures.metric_by_time(ALL), figures.metric_by_round(ALL), figures.bytes_by_round(ALL)):
        assert [line.line.color for line in figure.data] == [style(method).colour for method in DEMO]


def test_seeds_share_colour_dash_and_marker_in_thinner_lines_with_names_of_their_own() -> None:
    one = figures.metric_by_round([demo("fedlr", rounds=6)]).data[0]
    seeds = figures.metric_by_round([demo("fedlr", rounds=6, seed=seed) for seed in range(5)]).data
    assert {(line.line.color, line.line.dash, line.marker.symbol) for line in seeds} == {
        (one.line.color, one.line.dash, one.marker.symbol)
    }
    assert all(line.line.width < one.line.width for line in seeds)
    assert "FedLR seed 3" in seeds[3].hovertemplate


def test_every_line_says_whose_it_is() -> None:
    drawn = (figures.milestones(ALL), figures.metric_by_time(ALL), figures.metric_by_bytes(ALL))
    for figure in (*drawn, figures.bytes_by_round(ALL)):
        assert {trace.meta["method"] for trace in figure.data} == set(DEMO)


def test_seeds_share_a_row_of_milestones_and_each_mark_names_its_seed() -> None:
    line, marks = figures.milestones([run(), run((0.1, 0.8), seed=1)]).data
    assert set(line.y) == set(marks.y) == {"FeDeRA"}
    assert list(marks.x) == [8.0, 12.0, 16.0, 8.0, 8.0, 8.0]
    assert marks.customdata[3] == "90 %, seed 1, round 2"


def test_methods_are_told_apart_without_colour() -> None:
    assert len({(look.dash, look.symbol) for look in STYLES.values()}) == len(STYLES)
    assert len({look.colour for look in STYLES.values()}) == len(STYLES)


def test_target_lines_stand_at_their_fractions() -> None:
    shapes = figures.metric_by_round([run()]).layout.shapes
    assert [round(shape.y0, 6) for shape in shapes] == [0.72, 0.76, 0.792]


def test_each_metric_has_a_figure_with_its_own_curve_and_lines() -> None:
    made = [demo("federa", of=QUESTIONS)]
    first, second = (figures.metric_by_round(made, place) for place in (0, 1))
    assert (first.layout.yaxis.title.text, second.layout.yaxis.title.text) == ("exact match", "F1")
    assert list(second.data[0].y) == [record.metrics["f1"] for record in made[0].rounds]
    assert [round(shape.y0, 4) for shape in first.layout.shapes] == [0.585, 0.6175, 0.6435]
    assert [round(shape.y0, 4) for shape in second.layout.shapes] == [0.72, 0.76, 0.792]


def test_two_targets_of_one_metric_share_a_figure_that_ends_when_both_are_decided() -> None:
    metrics = (0.5, 0.8, *[0.8] * 8)
    both = experiment(target={"value": 0.5}, further_targets=(TargetProfile(value=0.8),))
    assert len(figures.metric_by_time([run(metrics, of=both)]).layout.shapes) == 6
    assert figures.decided_s([run(metrics, of=both)]) == 1.15 * 8.0
    assert figures.decided_s([run(metrics, of=experiment(target={"value": 0.5}))]) == 1.15 * 4.0


def test_fast_and_slow_share_a_logarithmic_axis_of_time() -> None:
    """FeDeRA is done after 12 s, FedFT after 1,200: on a linear axis the former would stand in its first pixels."""
    slow = run(metrics=(0.1, 0.2, 0.8), method="fedft")
    rounds = tuple(msgspec.structs.replace(record, elapsed_s=100 * record.elapsed_s) for record in slow.rounds)
    both = [replace(slow, rounds=rounds), run(metrics=(0.1, 0.2, 0.8))]
    for draw in (figures.metric_by_time, figures.milestones):
        drawn = draw(both)
        assert (drawn.layout.xaxis.type, drawn.layout.xaxis.title.text) == ("log", "time, s")
        assert all(x > 0 for trace in drawn.data for x in trace.x)
    assert figures.decided_s(both) is None  # all of it can be seen
    low, high = figures.milestones(both).layout.xaxis.range
    assert 10**low < 12.0 < 1200.0 < 10**high


def test_settings_of_a_method_have_its_colour_and_marks_of_their_own() -> None:
    made = [run(of=experiment(link={"name": link}), seed=seed) for link in ("lte", "wifi") for seed in range(2)]
    lines = figures.metric_by_round(made).data
    assert [line.marker.symbol for line in lines] == ["circle", "circle", "circle-open", "circle-open"]
    assert {line.line.color for line in lines} == {style("federa").colour}
    assert {line.meta["setting"] for line in lines} == {"FeDeRA link lte", "FeDeRA link wifi"}


def test_milestones_mark_what_was_reached_and_nothing_else() -> None:
    marks = figures.milestones([run(metrics=(0.5, 0.73, 0.77)), run(metrics=(0.1,), method="fedlr")]).data[1::2]
    assert list(marks[0].x) == [8.0, 12.0]
    assert list(marks[1].x) == []


def test_bytes_are_cumulative_and_logarithmic_where_methods_are_far_apart() -> None:
    one = figures.bytes_by_round([run(metrics=(0.1, 0.2, 0.3))])
    assert list(one.data[0].y) == [2.0, 4.0, 6.0]
    assert one.layout.yaxis.type is None
    assert figures.bytes_by_round(ALL).layout.yaxis.type == "log"


def test_the_time_axis_ends_where_all_is_decided_if_that_hides_much() -> None:
    long = run(metrics=(0.8, *[0.8] * 9))
    assert figures.decided_s([long]) == 1.15 * 4.0
    assert figures.decided_s([run(metrics=(0.8, 0.8))]) == 1.15 * 4.0
    assert figures.decided_s([run(metrics=(0.8,))]) is None
    assert figures.decided_s([long, run(metrics=[0.1] * 9, method="fedlr")]) is None


def test_a_run_without_rounds_makes_empty_figures() -> None:
    empty = [run(metrics=())]
    for draw in (
        figures.milestones,
        figures.metric_by_time,
        figures.metric_by_bytes,
        figures.bytes_by_round,
    ):
        assert draw(empty).to_plotly_json()["data"]
