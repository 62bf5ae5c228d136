"""What aggregating loses, by round."""

from __future__ import annotations

from dataclasses import replace

import aggregation_runs
import msgspec
from run_folders import demo

from analysis.aggregation.figures import error_figures
from analysis.load import Run
from analysis.palette import style
from analysis.plots import Drawn
from harness.records import ErrorComponents


def drawn(*methods: str, seeds: int = 1) -> dict[str, Drawn]:
    runs = [aggregation_runs.run(method, seed=seed) for method in methods for seed in range(seeds)]
    return {each.name: each for each in error_figures(runs)}


def test_each_component_and_the_change_have_a_figure() -> None:
    assert [*drawn("fra")] == ["error-made", "error-averaging", "error-truncation", "error-change"]


def test_an_error_is_a_line_of_percent_in_its_method_s_colour() -> None:
    figure = drawn("fra", "ffa")["error-averaging"].figure
    assert [trace.meta["method"] for trace in figure.data] == ["fra", "ffa"]
    fra = figure.data[0]
    first = aggregation_runs.run("fra").rounds[0].errors
    assert first is not None
    assert (fra.x[0], fra.y[0]) == (1, 100 * (first.averaging or 0))
    assert (fra.line.color, fra.marker.symbol) == (style("fra").colour, "star")


def test_seeds_are_a_band_around_their_median() -> None:
    traces = drawn("fra", seeds=3)["error-made"].figure.data
    assert len(traces) == 3
    assert traces[1].fill == "tonexty"


def test_what_has_no_errors_is_not_drawn() -> None:
    assert error_figures([demo("fedlr", rounds=2)]) == ()
    figure = drawn("fra", "fedft", "central")["error-made"].figure
    assert [trace.meta["method"] for trace in figure.data] == ["fra"]


def with_errors(made: float, method: str) -> Run:
    """A run whose error is the same in each round."""
    run = aggregation_runs.run(method)
    errors = ErrorComponents(change=0.1, averaging=made, truncation=made, made=made)
    return replace(run, rounds=tuple(msgspec.structs.replace(record, errors=errors) for record in run.rounds))


def test_errors_far_apart_are_logarithmic_and_the_exact_ones_left_out() -> None:
    runs = [with_errors(0.01, "fra"), with_errors(0.85, "slora"), with_errors(2e-9, "flora"), with_errors(0, "fedex")]
    made = error_figures(runs)[0]
    assert made.figure.layout.yaxis.type == "log"
    assert [trace.meta["method"] for trace in made.figure.data] == ["fra", "slora"]
    assert "below 0.001 %" in made.caption
    assert error_figures(runs[:1])[0].figure.layout.yaxis.type is None
