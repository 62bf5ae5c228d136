"""The integral over samples: exact for straight lines, the same however time is cut, nothing where nothing is known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.sensors.integral import Integral, Sample, has_gap, integral

GAP_S = 0.5
STEPS = st.lists(st.floats(0.01, 1.2), min_size=1, max_size=30)
WATTS = st.floats(0.0, 60.0)
MOMENTS = st.lists(st.floats(-2.0, 20.0), min_size=3, max_size=3, unique=True).map(sorted)


@st.composite
def samples(draw: st.DrawFn) -> list[Sample]:
    """Stamps that grow, some of them further apart than a gap; any watts."""
    at_s, made = 0.0, []
    for step_s in draw(STEPS):
        at_s += step_s
        made.append((at_s, draw(WATTS)))
    return made


def close(left: Integral, right: Integral) -> bool:
    return math.isclose(left.total, right.total, abs_tol=1e-7) and math.isclose(
        left.covered_s, right.covered_s, abs_tol=1e-9
    )


@given(samples(), MOMENTS)
def test_windows_that_touch_add_up(made: list[Sample], cuts: list[float]) -> None:
    begin_s, middle_s, end_s = cuts
    left, right = integral(made, begin_s, middle_s, GAP_S), integral(made, middle_s, end_s, GAP_S)
    both = Integral(left.total + right.total, left.covered_s + right.covered_s)
    assert close(integral(made, begin_s, end_s, GAP_S), both)


@given(samples(), MOMENTS)
def test_covered_time_is_never_more_than_the_window(made: list[Sample], cuts: list[float]) -> None:
    found = integral(made, cuts[0], cuts[2], GAP_S)
    assert 0.0 <= found.covered_s <= cuts[2] - cuts[0] + 1e-9
    assert 0.0 <= found.total <= 60.0 * found.covered_s + 1e-7


@given(STEPS, st.floats(-20.0, 20.0), st.floats(0.0, 40.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_straight_line_is_exact(steps: list[float], slope: float, start: float, one: float, other: float) -> None:
    stamps = [0.0]
    for step_s in steps:
        stamps.append(stamps[-1] + step_s)
    line = [(at_s, start + slope * at_s) for at_s in stamps]
    begin_s, end_s = sorted((one * stamps[-1], other * stamps[-1]))
    exact = start * (end_s - begin_s) + slope * (end_s**2 - begin_s**2) / 2
    assert integral(line, begin_s, end_s, gap_s=2.0).total == pytest.approx(exact, abs=1e-6)


@given(samples(), MOMENTS, st.floats(0.0, 10.0))
def test_a_sensor_of_other_units_gives_the_same_in_those_units(
    made: list[Sample], cuts: list[float], factor: float
) -> None:
    scaled = [(at_s, watts * factor) for at_s, watts in made]
    one, other = (integral(which, cuts[0], cuts[2], GAP_S) for which in (made, scaled))
    assert other.total == pytest.approx(one.total * factor, abs=1e-6)
    assert other.covered_s == one.covered_s


@given(samples(), MOMENTS)
def test_more_power_at_some_moment_is_never_less_energy(made: list[Sample], cuts: list[float]) -> None:
    more = [(at_s, watts + (1.0 if number % 3 == 0 else 0.0)) for number, (at_s, watts) in enumerate(made)]
    assert integral(more, cuts[0], cuts[2], GAP_S).total >= integral(made, cuts[0], cuts[2], GAP_S).total - 1e-9


@given(samples(), MOMENTS, st.floats(0.0, 1.0), st.integers(0, 28))
def test_a_sample_on_the_line_between_two_others_changes_nothing(
    made: list[Sample], cuts: list[float], share: float, number: int
) -> None:
    left, right = made[number % len(made)], made[(number + 1) % len(made)]
    between = (left[0] + share * (right[0] - left[0]), left[1] + share * (right[1] - left[1]))
    if not left[0] < between[0] < right[0] or right[0] - left[0] > GAP_S:
        return
    one, other = (integral(which, cuts[0], cuts[2], GAP_S) for which in (made, sorted([*made, between])))
    assert close(one, other)


def test_samples_too_far_apart_say_nothing_of_the_time_between() -> None:
    made = [(0.0, 10.0), (0.4, 10.0), (2.0, 10.0), (2.4, 10.0)]
    found = integral(made, 0.0, 2.4, GAP_S)
    assert found == pytest.approx((8.0, 0.8))
    assert has_gap(found, 0.0, 2.4)


def test_the_last_sample_speaks_for_the_moment_after_it_and_no_longer() -> None:
    made = [(0.0, 10.0), (0.4, 20.0)]
    assert integral(made, 0.4, 0.6, GAP_S) == pytest.approx((4.0, 0.2))
    assert integral(made, 0.4, 5.0, GAP_S) == pytest.approx((10.0, 0.5))


def test_nothing_is_known_without_a_sample() -> None:
    assert integral([], 0.0, 1.0, GAP_S) == (0.0, 0.0)
