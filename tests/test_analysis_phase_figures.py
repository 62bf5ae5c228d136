"""Where a round's seconds go: the bars sum to the round, one bar a group, areas where bars would be too thin."""

from __future__ import annotations

import pytest
from run_folders import demo, run

from analysis.palette import PHASES
from analysis.phase_figures import MOST_BARS, phases_by_method, phases_by_round


def test_bars_of_a_round_sum_to_its_seconds() -> None:
    made = run()
    bars = phases_by_round(made).data
    assert len(bars) == len(PHASES)
    assert sum(bar.y[0] for bar in bars) == made.rounds[0].round_s


def test_many_rounds_are_areas_of_the_same_stack() -> None:
    made = run([0.5] * (MOST_BARS + 1))
    areas = phases_by_round(made).data
    assert {area.stackgroup for area in areas} == {"round"}
    assert sum(area.y[-1] for area in areas) == made.rounds[-1].round_s


def test_seeds_of_a_method_share_one_bar_that_is_their_mean() -> None:
    runs = [demo("federa", rounds=4, seed=seed) for seed in range(3)]
    bars = phases_by_method(runs).data
    rounds = [record.round_s for made in runs for record in made.rounds]
    assert all(list(bar.y) == ["FeDeRA"] for bar in bars)
    assert sum(bar.x[0] for bar in bars) == pytest.approx(sum(rounds) / len(rounds))


def test_every_bar_says_whose_it_is_and_what_phase() -> None:
    bars = phases_by_method([run(), run(method="fedlr")]).data
    assert {(bar.meta["method"], bar.meta["phase"]) for bar in bars} == {
        (method, field) for method in ("federa", "fedlr") for field, _, _ in PHASES
    }


def test_a_run_without_rounds_has_an_empty_bar() -> None:
    assert [list(bar.x) for bar in phases_by_method([run(metrics=())]).data] == [[None]] * len(PHASES)
