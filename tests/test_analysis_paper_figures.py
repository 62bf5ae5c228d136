"""Which of the paper's figures runs can fill, and what those hold; how they look is for eyes."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean, stdev

import msgspec
import pytest
from run_folders import DEMO, QUESTIONS, demo, experiment, partition, run

from analysis.load import Run
from analysis.paper.curves import by_round, by_time
from analysis.paper.figures import paper_figures
from analysis.paper.heterogeneity import by_alpha, points
from analysis.paper.overview import labels_above, marks, overviews, sizes_px
from analysis.paper.panels import Panel, panels_of

ALL = tuple(demo(method, rounds=30) for method in DEMO)


def of_alpha(alpha: float, method: str = "federa", best: float = 0.8, seed: int = 0) -> Run:
    return run(metrics=(best - 0.1, best), method=method, seed=seed, of=experiment(partition={"alpha": alpha}))


def later(made: Run, seconds: float) -> Run:
    """The run with a clock that was so much ahead."""
    rounds = [msgspec.structs.replace(record, elapsed_s=record.elapsed_s + seconds) for record in made.rounds]
    return replace(made, rounds=tuple(rounds))


def moving(made: Run) -> Run:
    """The run with a drift in its first round."""
    moved = msgspec.structs.replace(made.rounds[0], drift={"layer.0.query.A": (0.5, 0.25)})
    return replace(made, rounds=(moved, *made.rounds[1:]))


def panel(*runs: Run) -> Panel:
    (one,) = panels_of(runs)
    return one


def numbers(runs: list[Run]) -> list[str]:
    return [drawn.name.split("-")[1] for drawn in paper_figures(runs)]


def test_plain_runs_fill_those_figures_that_ask_for_no_more() -> None:
    assert [drawn.name for drawn in paper_figures(ALL)] == [
        "figure-1-time-bytes-metric",
        "figure-3-metric-by-round",
        "figure-8-metric-by-time",
        "figure-9-budget-of-rounds",
        "figure-9-budget-of-seconds",
        "figure-9-budget-of-bytes",
    ]


def test_a_figure_appears_with_what_it_needs() -> None:
    """Figure 4 with a second alpha, 7 with a partition, 5 and 6 with a drift."""
    assert "4" in numbers([of_alpha(0.1), of_alpha(1.0)])
    assert "7" in numbers([demo("federa", holding=partition())])
    assert {"5", "6"} <= set(numbers([moving(run())]))


def test_runs_that_learned_nothing_have_no_figure() -> None:
    assert paper_figures([run((None, None), of=experiment(train={"trainer": "null"}))]) == ()
    assert paper_figures([run(())]) == ()
    assert paper_figures([]) == ()


def test_each_alpha_has_figures_of_its_own_in_the_papers_order() -> None:
    drawn = paper_figures([moving(of_alpha(alpha)) for alpha in (1.0, 0.1)])
    names = [each.name for each in drawn]
    assert len(set(names)) == len(names)
    assert {"figure-3-metric-by-round-alpha-0.1", "figure-3-metric-by-round-alpha-1"} < set(names)
    assert sorted(names, key=lambda name: name[:8]) == names
    assert "Figure 3: metric by round, alpha 0.1" in {each.title for each in drawn}


def test_each_target_has_its_figure() -> None:
    drawn = {each.name: each for each in paper_figures([demo("federa", of=QUESTIONS)])}
    assert drawn["figure-3-metric-by-round-exact-match"].figure.layout.yaxis.title.text == "exact match"
    assert drawn["figure-8-metric-by-time-f1"].figure.layout.yaxis.title.text == "F1"


def test_models_and_data_sets_are_not_mixed() -> None:
    other = experiment(dataset={"name": "others"}, model={"name": "small", "timed_as": "roberta-base"})
    assert [each.words for each in panels_of([run(), run(of=other)])] == ["tiny, topics", "roberta-base, others"]
    assert panels_of([run(), run(method="fedlr")])[0].words == ""


def test_a_stand_in_is_said_in_every_caption() -> None:
    stand_in = experiment(model={"name": "micro", "timed_as": "roberta-base"})
    drawn = paper_figures([run(of=stand_in)])
    assert len(drawn) == 6
    assert all("A stand-in was trained, micro: its seconds are those of roberta-base" in d.caption for d in drawn)
    assert not any("stand-in" in each.caption for each in paper_figures([run()]))


def test_a_caption_tells_medians_of_seeds_only_where_there_are_some() -> None:
    (alone,) = by_round(panel(run()))
    (several,) = by_round(panel(run(seed=0), run(seed=1)))
    assert "median" not in alone.caption
    assert "Lines are medians over seeds" in several.caption


def test_seeds_are_one_line_the_median_by_round() -> None:
    made = [run(metrics=(0.1, value), seed=seed) for seed, value in enumerate((0.5, 0.9, 0.6))]
    (drawn,) = by_round(panel(*made))
    low, high, line = drawn.figure.data
    assert list(line.y) == [0.1, 0.6]
    assert (low.y[1], high.y[1]) == (0.5, 0.9)
    assert [round(shape.y0, 3) for shape in drawn.figure.layout.shapes] == [0.72, 0.76, 0.792]


def test_time_is_the_median_of_the_seeds_time_in_the_clocks_unit() -> None:
    quick, slow = (later(run(metrics=(0.1, 0.2), seed=seed), 3600.0 * (1 + seed)) for seed in (0, 1))
    (drawn,) = by_time(panel(quick, slow))
    assert drawn.figure.layout.xaxis.title.text == "time, h"
    assert list(drawn.figure.data[-1].x) == pytest.approx([(4 + 5400) / 3600, (8 + 5400) / 3600])


def test_best_metric_by_alpha_has_mean_and_deviation_over_seeds() -> None:
    bests = {0.1: (0.70, 0.72, 0.77), 1.0: (0.80, 0.85)}
    made = [of_alpha(a, best=best, seed=seed) for a, found in bests.items() for seed, best in enumerate(found)]
    assert points(made, 0) == tuple((a, pytest.approx(fmean(y)), pytest.approx(stdev(y))) for a, y in bests.items())
    assert points([of_alpha(0.1)], 0) == ((0.1, 0.8, None),)


def test_methods_stand_side_by_side_at_their_alpha() -> None:
    runs = [of_alpha(alpha, method=method) for alpha in (0.1, 10.0) for method in ("fedlr", "federa")]
    (whole,) = panels_of(runs, by_alpha=False)
    (drawn,) = by_alpha(whole)
    left, right = drawn.figure.data
    assert [tuple(line.customdata) for line in (left, right)] == [(0.1, 10.0)] * 2
    assert left.x[0] < 0.1 < right.x[0] < 0.105
    assert list(drawn.figure.layout.xaxis.ticktext) == ["0.1", "10"]


def test_two_settings_of_a_method_are_two_lines_by_alpha_and_no_seeds_of_one() -> None:
    """Each alpha has a profile of its own, with a name of its own; they make one line for each link."""
    runs = [
        run((best,), of=experiment(name=f"of-{alpha}", partition={"alpha": alpha}, link={"name": link}))
        for link, best in (("lte", 0.5), ("wifi", 0.7))
        for alpha in (0.1, 1.0)
    ]
    (whole,) = panels_of(runs, by_alpha=False)
    (drawn,) = by_alpha(whole)
    assert [(line.name, tuple(line.y), line.marker.symbol) for line in drawn.figure.data] == [
        ("FeDeRA link lte", (0.5, 0.5), "circle"),
        ("FeDeRA link wifi", (0.7, 0.7), "circle-open"),
    ]
    assert "Marks: filled for FeDeRA link lte; open for FeDeRA link wifi." in drawn.caption


def test_settings_of_one_method_in_one_figure_are_told_apart() -> None:
    runs = [run((0.5, 0.8), of=experiment(link={"name": link})) for link in ("lte", "wifi")]
    first, *others = paper_figures(runs)
    assert [trace.text[0].partition(":")[0] for trace in first.figure.data] == ["FeDeRA link lte", "FeDeRA link wifi"]
    assert "Marks" not in first.caption  # their sizes mean bytes there
    for drawn in others:
        symbols = [trace.marker.symbol for trace in drawn.figure.data]
        assert symbols == ["circle", "circle-open"], drawn.name
        assert "open for FeDeRA link wifi" in drawn.caption


def test_words_of_marks_that_are_close_to_each_other_do_not_meet() -> None:
    """The lower of two neighbours has its words below it, the earlier of two at one height too; one alone above."""
    low, high, far = (run((0.1, best), method=m) for best, m in ((0.80, "federa"), (0.81, "fedlr"), (0.95, "fedap")))
    assert labels_above(marks([low, high, far], 0)) == [False, True, True]
    assert labels_above(marks([later(low, 1.0), high, far], 0))[0] is False
    assert labels_above(marks([low, later(run((0.1, 0.8), method="fedlr"), 1.0)], 0)) == [False, True]
    assert labels_above(marks([low], 0)) == [True]


def test_time_is_logarithmic_where_methods_are_far_apart() -> None:
    quick, slow = (panel(run((0.1, 0.8)), later(run((0.1, 0.8), method="fedlr"), seconds)) for seconds in (0.0, 1000.0))
    assert by_time(quick)[0].figure.layout.xaxis.type is None
    assert by_time(slow)[0].figure.layout.xaxis.type == "log"
    assert by_round(slow)[0].figure.layout.xaxis.type is None


def test_partitions_without_alpha_are_in_no_figure_by_alpha() -> None:
    even = run(of=experiment(partition={"kind": "iid", "alpha": 1.0}))
    (whole, *_) = panels_of([of_alpha(0.1), of_alpha(1.0), even], by_alpha=False)
    (drawn,) = by_alpha(whole)
    assert list(drawn.figure.data[0].customdata) == [0.1, 1.0]


def test_the_overview_marks_what_the_highest_reached_fraction_cost() -> None:
    """0.8 is reached in round 3: 12 s and 6,000 bytes; the other reaches 95 % alone, in round 2."""
    first, second = marks([run((0.5, 0.7, 0.8)), run((0.1, 0.76, 0.77), method="fedlr")], 0)
    assert (first.fraction, first.time_s, first.payload_bytes, first.best) == (0.99, 12.0, 6000, 0.8)
    assert (second.fraction, second.time_s, second.payload_bytes, second.best) == (0.95, 8.0, 4000, 0.77)


def test_who_reached_nothing_is_named_and_not_drawn() -> None:
    (drawn,) = overviews(panel(run((0.8,)), run((0.1,), method="fedbf")))
    assert [trace.name for trace in drawn.figure.data] == ["FeDeRA"]
    assert "FedBF reached no fraction." in drawn.caption
    assert overviews(panel(run((0.1,)))) == ()


def test_a_mark_s_area_is_its_payload() -> None:
    large, small, smallest = sizes_px([4e9, 1e9, 1.0], ["circle"] * 3)
    assert large / small == 2
    assert 0 < smallest < small


@pytest.mark.parametrize(
    ("symbol", "area"),  # of size 2, by plotly's paths: a square, a rhombus, a plus of two bars, a triangle
    [("square", 4.0), ("diamond", 2.6 * 2.6 / 2), ("cross", 2 * 2.4 * 0.8 - 0.8**2), ("triangle-up", 1.5 * 2 / 3**0.5)],
)
def test_equal_payloads_have_equal_areas_whatever_the_symbol(symbol: str, area: float) -> None:
    circle, other = sizes_px([1e6, 1e6], ["circle", symbol])
    assert area * (other / 2) ** 2 == pytest.approx(math.pi * (circle / 2) ** 2)


def test_methods_keep_their_colours_and_can_be_hidden() -> None:
    for drawn in paper_figures(ALL):
        assert {trace.meta["method"] for trace in drawn.figure.data} <= set(DEMO), drawn.name
        assert drawn.figure.layout.showlegend is False


def test_nothing_drawn_is_infinite_or_missing() -> None:
    for drawn in paper_figures(ALL):
        for trace in drawn.figure.data:
            assert all(math.isfinite(value) for axis in (trace.x, trace.y) for value in axis), drawn.name
