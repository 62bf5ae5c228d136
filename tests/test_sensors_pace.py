"""Samples come on a grid: neither drift nor bursts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.sensors.pace import every, next_tick


@given(st.floats(0.0, 1e6), st.floats(0.5, 50.0), st.floats(0.0, 1e4))
def test_the_next_moment_is_on_the_grid_and_at_most_an_interval_away(start_s: float, hz: float, late_s: float) -> None:
    now_s = start_s + late_s
    tick_s = next_tick(start_s, hz, now_s)
    assert now_s < tick_s <= now_s + 1 / hz + 1e-6
    assert abs((tick_s - start_s) * hz - round((tick_s - start_s) * hz)) < 1e-3


def test_reading_that_takes_time_does_not_drift() -> None:
    now_s = 100.0
    for number in range(1, 1001):
        now_s = next_tick(100.0, 20.0, now_s)
        assert abs(now_s - (100.0 + number / 20)) < 1e-9
        now_s += 0.013


def test_a_sampler_that_was_held_up_leaves_moments_out() -> None:
    assert next_tick(0.0, 10.0, 0.55) == 0.6


def test_slow_figures_come_with_every_so_manieth_sample() -> None:
    assert (every(20.0, 2.0), every(10.0, 2.0), every(1.0, 2.0)) == (10, 5, 1)
