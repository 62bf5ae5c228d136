"""Axes of time, and logarithmic ones."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from run_folders import run

from analysis.axes import far_apart, logarithmic, tick_words, time_axis
from analysis.load import Run


def slower(made: Run, factor: float) -> Run:
    """The run with rounds that take so many times as long."""
    rounds = [msgspec.structs.replace(record, elapsed_s=factor * record.elapsed_s) for record in made.rounds]
    return replace(made, rounds=tuple(rounds))


def test_a_fast_method_keeps_its_room_beside_a_slow_one() -> None:
    """Rounds of 4 s, and of 400 s: 4 s to 20 min, in seconds, as the first of them are a small part of a minute."""
    fast = run((0.1, 0.2, 0.3))
    unit, axis = time_axis([fast, slower(fast, 100.0)])
    assert (unit.symbol, axis["type"]) == ("s", "log")
    assert (min(axis["tickvals"]), max(axis["tickvals"])) == (1.0, 10_000.0)


def test_methods_of_like_speed_have_a_linear_axis_from_zero() -> None:
    fast = run((0.1, 0.2, 0.3))
    unit, axis = time_axis([fast, slower(fast, 10.0)])
    assert (unit.symbol, axis) == ("s", {"rangemode": "tozero"})
    assert time_axis([slower(fast, 1000.0)])[0].symbol == "h"  # its rounds are far apart, but it is alone
    assert time_axis([run(())])[1] == {"rangemode": "tozero"}


def test_a_round_without_a_time_has_no_place_on_a_logarithmic_axis() -> None:
    fast = run((0.1, 0.2))
    at_once = replace(fast, rounds=(msgspec.structs.replace(fast.rounds[0], elapsed_s=0.0), fast.rounds[1]))
    assert time_axis([at_once, slower(fast, 100.0)])[1] == {"rangemode": "tozero"}


def test_values_are_far_apart_only_where_a_logarithm_helps() -> None:
    assert far_apart([0.001, 0.1])
    assert not far_apart([0.01, 0.1])
    assert not far_apart([0.0, 0.1])  # it has no logarithm
    assert not far_apart([])


def test_ticks_of_a_logarithmic_axis_can_be_read() -> None:
    few, many = logarithmic([0.02, 0.9]), logarithmic([1e-6, 1.0])
    assert few["ticktext"] == ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5"]
    assert many["ticktext"][:4] == ["10<sup>-6</sup>", "10<sup>-5</sup>", "0.0001", "0.001"]
    assert tick_words(5e-6) == "5·10<sup>-6</sup>"
    assert tick_words(2e7) == "2·10<sup>7</sup>"


@pytest.mark.parametrize(("high", "steps"), [(1.99, 3), (2.01, 1)])
def test_ticks_are_fewer_where_there_are_many_decades(high: float, steps: int) -> None:
    ticks = logarithmic([0.01, high])["tickvals"]
    assert len([tick for tick in ticks if 0.1 <= tick < 0.99]) == steps
