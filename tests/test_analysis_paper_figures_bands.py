"""Medians and bands of several seeds, and how they are drawn."""

from __future__ import annotations

import plotly.graph_objects as go
from run_folders import run

from analysis.groups import groups_of
from analysis.paper.bands import add_band, band_of, held


def test_a_band_goes_from_the_least_to_the_greatest_around_the_median() -> None:
    band = band_of([{1: 0.1, 2: 0.5}, {1: 0.3, 2: 0.4}, {1: 0.2, 2: 0.9}])
    assert (band.xs, band.low, band.middle, band.high) == ((1, 2), (0.1, 0.4), (0.2, 0.5), (0.3, 0.9))


def test_what_half_of_the_runs_or_fewer_reached_is_not_drawn() -> None:
    assert band_of([{1: 0.1, 2: 0.2, 3: 0.3}, {1: 0.1, 2: 0.2}, {1: 0.1}]).xs == (1, 2)
    assert band_of([{1: 0.1, 2: 0.2}, {1: 0.1}]).xs == (1,)
    assert band_of([]).xs == ()


def test_steps_are_kept_until_the_next_and_after_the_end() -> None:
    """One run steps at 2, 4, the other at 3, 9: the band begins where both have begun, and ends with the last."""
    band = held([{2: 0.1, 4: 0.5}, {3: 0.2, 9: 0.7}])
    assert band.xs == (3, 4, 9)
    assert band.low == (0.1, 0.2, 0.5)
    assert band.high == (0.2, 0.5, 0.7)


def test_a_run_that_never_began_leaves_nothing_to_draw() -> None:
    assert held([{2: 0.1}, {}]).xs == ()


def test_moving_gives_other_values_of_x_in_their_unit() -> None:
    band = band_of([{1: 0.1, 2: 0.5}]).moved({1: 60.0, 2: 180.0}, divisor=60)
    assert (band.xs, band.middle) == ((1.0, 3.0), (0.1, 0.5))


def test_one_run_is_a_line_several_a_translucent_band_below_it() -> None:
    alone, several = go.Figure(), go.Figure()
    (one,) = groups_of([run()])
    (three,) = groups_of([run(seed=seed) for seed in range(3)])
    add_band(alone, one, band_of([{1: 0.5}]), "")
    add_band(several, three, band_of([{1: 0.5}, {1: 0.6}, {1: 0.4}]), "")
    assert len(alone.data) == 1
    low, high, middle = several.data
    assert (low.y, high.y, middle.y) == ((0.4,), (0.6,), (0.5,))
    assert (high.fill, high.fillcolor) == ("tonexty", "rgba(213,94,0,0.16)")
    assert all(trace.meta == {"method": "federa"} for trace in several.data)
    assert not low.showlegend
    assert middle.line.color == "#D55E00"
