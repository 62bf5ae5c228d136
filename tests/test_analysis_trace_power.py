"""Samples of power, few enough for a viewer."""

from __future__ import annotations

from analysis.trace.power import Power, thinned


def test_few_samples_stay_as_they_are() -> None:
    power = Power((0.0, 1.0), {"total": (1.0, None)})
    assert thinned(power) is power
    assert thinned(Power((), {})).at_s == ()


def test_of_many_each_is_the_mean_of_those_it_stands_for_and_none_counts_as_nothing() -> None:
    power = Power((0.0, 1.0, 2.0, 3.0, 4.0), {"total": (1.0, 3.0, None, 5.0, None)})
    few = thinned(power, most=3)
    assert few.at_s == (0.0, 2.0, 4.0)
    assert few.watts == {"total": (2.0, 5.0, None)}
