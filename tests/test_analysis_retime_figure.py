"""Time by rate as a figure: a line for each method in its colour, rings where they cross."""

from __future__ import annotations

import math

import pytest

from analysis.palette import STYLES
from analysis.retime.figure import time_by_rate
from analysis.retime.rates import MethodLine, RateCurve, crossovers

FEDFT = MethodLine("FedFT", "fedft", (RateCurve((1000.0, 9e10), ()),))
FEDERA = MethodLine("FeDeRA", "federa", (RateCurve((1300.0, 3e9), ()),))
NEVER = MethodLine("FedBF", "fedbf", (None,))
RANGE_BPS = (1e6, 1e9)


def test_each_method_that_reached_the_target_is_a_line_in_its_colour() -> None:
    figure = time_by_rate([FEDFT, FEDERA, NEVER], (), RANGE_BPS)
    assert [(trace.name, trace.meta) for trace in figure.data] == [
        ("FedFT", {"method": "fedft"}),
        ("FeDeRA", {"method": "federa"}),
    ]
    assert figure.data[1].line.color == STYLES["federa"].colour
    assert (figure.data[0].x[0], figure.data[0].x[-1]) == (1.0, pytest.approx(1000.0))
    assert figure.data[0].y[0] == pytest.approx((1000.0 + 90000.0) / 3600)


def test_settings_of_a_method_have_marks_of_their_own() -> None:
    curves = FEDERA.curves
    lines = [MethodLine(f"FeDeRA rank {rank}", "federa", curves, f"FeDeRA rank {rank}", rank) for rank in (0, 1)]
    one, other = time_by_rate(lines, (), RANGE_BPS).data
    assert (one.line.color, one.marker.symbol) == (other.line.color, "circle")
    assert other.marker.symbol == "circle-open"
    assert other.meta == {"method": "federa", "setting": "FeDeRA rank 1"}


def test_both_axes_are_logarithmic_with_plain_numbers() -> None:
    figure = time_by_rate([FEDFT, FEDERA], (), RANGE_BPS)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert figure.layout.xaxis.ticktext[:4] == ("1", "2", "5", "10")
    low, high = figure.layout.xaxis.range
    assert low < 0 < 3 < high
    assert low == pytest.approx(0.0, abs=0.05)
    assert figure.layout.yaxis.title.text == "time, h"


def test_an_axis_of_many_decades_has_powers_of_ten_alone() -> None:
    figure = time_by_rate([FEDFT], (), (1e3, 1e9))
    assert figure.layout.xaxis.ticktext == ("0.001", "0.01", "0.1", "1", "10", "100", "1,000")


def test_a_ring_with_its_rate_marks_each_crossover() -> None:
    found = crossovers([FEDFT, FEDERA], *RANGE_BPS)
    rings = time_by_rate([FEDFT, FEDERA], found, RANGE_BPS).data[-1]
    assert (rings.text, rings.textposition) == (("290",), ("top left",))
    assert rings.x[0] == pytest.approx((9e10 - 3e9) / 300 / 1e6)
    assert rings.customdata[0] == "FedFT is faster than<br>FeDeRA above this rate"


def test_the_link_of_the_tables_is_a_line_or_a_band() -> None:
    steady = time_by_rate([FEDFT], (), RANGE_BPS, own_bps=(5e6, 5e6)).data[0]
    assert (steady.x, steady.fill) == ((5.0, 5.0), "none")
    band = time_by_rate([FEDFT], (), RANGE_BPS, own_bps=(20e6, 30e6)).data[0]
    assert (set(band.x), band.fill) == ({20.0, 30.0}, "toself")


def test_without_a_line_there_is_an_empty_figure() -> None:
    figure = time_by_rate([NEVER], (), RANGE_BPS)
    assert len(figure.data) == 0
    assert all(math.isfinite(bound) for bound in figure.layout.yaxis.range)
