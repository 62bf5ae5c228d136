"""Rows of samples: what is kept, and what is found around a window."""

from __future__ import annotations

import pytest
from sensor_rows import layout, ramp, sampled

from harness.sensors import series as module
from harness.sensors.fields import MEMORY, OFFLINE, UPTIME, rail_field
from harness.sensors.series import Layout, Series

GPU = rail_field("VDD_GPU_SOC")


def test_a_window_has_its_samples_and_one_on_each_side() -> None:
    found = sampled(layout(), 3.0, ramp).values(GPU, 0.95, 1.25)
    assert [at_s for at_s, _ in found] == [0.9, 1.0, 1.1, 1.2, 1.3]


def test_the_neighbours_of_a_window_are_those_that_were_read() -> None:
    made = sampled(layout(), 3.0, lambda rail, at_s: None if 0.5 < at_s < 2.0 else ramp(rail, at_s))
    assert [at_s for at_s, _ in made.values(GPU, 1.0, 1.5)] == [0.5, 2.0]


def test_what_says_off_is_read_and_not_measured() -> None:
    made = sampled(layout(), 1.0, lambda rail, at_s: OFFLINE)
    assert len(made.raw(GPU, 0.0, 1.0)) == 11
    assert made.values(GPU, 0.0, 1.0) == []


@pytest.mark.parametrize("row", [(), (None, 1.0), (0.5, 1.0), (1.0, 1.0), (2.0,), (2.0, 1.0, 1.0)])
def test_a_row_that_does_not_fit_is_left_out(row: tuple[float | None, ...]) -> None:
    made = Series(Layout(source="psutil", fields=("at_s", MEMORY)))
    assert made.add((1.0, 5.0))
    assert not made.add(row)
    assert made.within(MEMORY, 0.0, 9.0) == [5.0]


def test_rows_in_which_nothing_was_read_are_no_samples() -> None:
    made = Series(Layout(source="jtop", fields=("at_s", "total_w", UPTIME, rail_field("VDD_IN"))))
    made.add((0.0, 8.0, 100.0, 8.0))
    made.add((1.0, None, 100.0, None))
    assert made.samples(0.0, 1.0) == [(0.0, 0.0)]


def test_memory_does_not_grow_with_time() -> None:
    made = Series(Layout(source="psutil", fields=("at_s",)))
    for number in range(2 * module.KEPT_ROWS):
        made.add((float(number),))
    assert made.begin_s is not None
    assert made.begin_s >= module.KEPT_ROWS * 3 // 4
