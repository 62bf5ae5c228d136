"""The drift of A and B by layer and by round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import pytest
from run_folders import run

from analysis.load import Run
from analysis.paper.drift_figures import drift_figures, moves
from analysis.paper.panels import panels_of
from analysis.plots import Drawn

Drift = Mapping[str, tuple[float, float | None]]


def drifting(drifts: Sequence[Drift], method: str = "federa", seed: int = 0) -> Run:
    made = run([0.5] * len(drifts), method=method, seed=seed)
    moved = zip(made.rounds, drifts, strict=True)
    return replace(made, rounds=tuple(msgspec.structs.replace(record, drift=dict(drift)) for record, drift in moved))


def drawn(*runs: Run) -> dict[str, Drawn]:
    (panel,) = panels_of(runs)
    return {each.name: each for each in drift_figures(panel)}


ROUNDS: tuple[Drift, ...] = (
    {"layer.0.query.A": (0.1, 0.01), "layer.0.value.A": (0.3, 0.03), "layer.1.query.A": (0.5, 0.05)},
    {"layer.0.query.A": (0.3, 0.03), "layer.0.value.A": (0.5, 0.05), "layer.1.query.A": (0.7, 0.07)},
)


def test_by_layer_it_is_the_mean_over_rounds_and_weights() -> None:
    figure = drawn(drifting(ROUNDS))["figure-5-magnitude-of-a-by-layer"].figure
    assert list(figure.data[0].x) == [0.0, 1.0]
    assert list(figure.data[0].y) == pytest.approx([0.3, 0.6])


def test_by_round_it_is_the_mean_over_all_weights() -> None:
    figure = drawn(drifting(ROUNDS))["figure-6-direction-of-a-by-round"].figure
    assert list(figure.data[0].x) == [1, 2]
    assert list(figure.data[0].y) == pytest.approx([0.03, 0.05])


def test_each_factor_has_figures_of_its_own() -> None:
    both = drawn(drifting([{"layer.0.query.A": (0.1, 0.01), "layer.0.query.B": (0.7, 0.07)}]))
    assert len(both) == 8
    by_factor = [both[f"figure-5-magnitude-of-{factor}-by-layer"].figure.data[0].y for factor in "ab"]
    assert by_factor == [(0.1,), (0.7,)]


def test_a_factor_without_a_direction_yet_is_left_out_of_that_round() -> None:
    made = drifting([{"layer.0.query.B": (2.0, None)}, {"layer.0.query.B": (1.0, 0.25)}], "fedlr")
    figures = drawn(made)
    assert list(figures["figure-6-direction-of-b-by-round"].figure.data[0].x) == [2]
    assert list(figures["figure-5-magnitude-of-b-by-round"].figure.data[0].x) == [1, 2]


def test_layers_stand_in_their_order_whatever_their_names() -> None:
    made = drifting([{f"albert_layer_groups.0.albert_layers.{n}.query.A": (float(n), 0.0) for n in (10, 2)}])
    axis = drawn(made)["figure-5-magnitude-of-a-by-layer"].figure.layout.xaxis
    assert list(axis.ticktext) == ["0.2", "0.10"]
    assert [move.layer for move in moves(made, 0, "A")] == [(0, 10), (0, 2)]


def test_methods_are_compared_and_magnitudes_far_apart_are_logarithmic() -> None:
    far = drifting([{"layer.0.query.A": (0.001, 0.05)}], "fedlr")
    figures = drawn(drifting(ROUNDS), far)
    magnitude = figures["figure-5-magnitude-of-a-by-layer"].figure
    assert [trace.meta["method"] for trace in magnitude.data] == ["federa", "fedlr"]
    assert magnitude.layout.yaxis.type == "log"
    assert figures["figure-6-direction-of-a-by-layer"].figure.layout.yaxis.type is None


def test_runs_without_a_recorded_drift_are_not_drawn() -> None:
    assert drawn(run()) == {}
    both = drawn(drifting(ROUNDS), run(method="fedft"))
    assert {trace.meta["method"] for each in both.values() for trace in each.figure.data} == {"federa"}


def test_captions_name_the_equations() -> None:
    figures = drawn(drifting(ROUNDS))
    assert "(eq. 19, 20)" in figures["figure-5-magnitude-of-a-by-layer"].caption
    assert "(eq. 21, 22)" in figures["figure-6-direction-of-a-by-round"].caption
