"""What figures hold; how they look is the browser test's."""

from __future__ import annotations

from run_folders import DEMO, QUESTIONS, demo, experiment, run

from analysis import figures
from analysis.palette import PHASES, STYLES, style
from harness.profiles import TargetProfile

ALL = [demo(method, rounds=6) for method in DEMO]


def test_only_evaluated_rounds_are_points() -> None:
    (line,) = figures.metric_by_time([run(metrics=(0.5, None, 0.7))]).data
    assert (list(line.x), list(line.y)) == ([4.0, 12.0], [0.5, 0.7])


def test_a_method_has_one_colour_in_every_figure() -> None:
    for figure in (figures.metric_by_time(ALL), figures.metric_by_round(ALL), figures.bytes_by_round(ALL)):
        assert [line.line.color for line in figure.data] == [style(method).colour for method in DEMO]


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


def test_milestones_mark_what_was_reached_and_nothing_else() -> None:
    marks = figures.milestones([run(metrics=(0.5, 0.73, 0.77)), run(metrics=(0.1,), method="fedlr")]).data[1::2]
    assert list(marks[0].x) == [8.0, 12.0]
    assert list(marks[1].x) == []


def test_bars_of_a_round_sum_to_its_seconds() -> None:
    made = run()
    bars = figures.phases_by_round(made).data
    assert len(bars) == len(PHASES)
    assert sum(bar.y[0] for bar in bars) == made.rounds[0].round_s


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
        figures.phases_by_method,
    ):
        assert draw(empty).to_plotly_json()["data"]
