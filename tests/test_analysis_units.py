"""Numbers as people read them."""

from __future__ import annotations

import pytest

from analysis import units
from harness.profiles import METRICS


@pytest.mark.parametrize(
    ("longest_s", "text"), [(5.0, "5.00 s"), (599.94, "599.9 s"), (600.0, "10.00 min"), (7200.0, "2.00 h")]
)
def test_one_time_unit_is_chosen_by_the_longest(longest_s: float, text: str) -> None:
    assert units.time_unit([0.1, None, longest_s]).text(longest_s) == text


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        ([20.28, 2687.2], ["20.3 s", "2,687.2 s"]),
        ([61.0, 2687.2], ["1.02 min", "44.79 min"]),  # the shortest is a minute
        ([20.28, 10_000.0], ["0.34 min", "166.67 min"]),  # seconds would have five digits
        ([612.0, 47_484.0], ["0.17 h", "13.19 h"]),
        ([60.0, 47_484.0], ["1.00 min", "791.40 min"]),
        ([20.0, 7_300.0], ["20.0 s", "7,300.0 s"]),
        ([20.0, 700_000.0], ["0.01 h", "194.44 h"]),
        ([5.0], ["5.00 s"]),
    ],
)
def test_the_shortest_time_can_be_read_beside_the_longest(seconds: list[float], shown: list[str]) -> None:
    unit = units.legible_time_unit([None, 0.0, *seconds])
    assert [unit.text(value) for value in seconds] == shown


def test_a_small_value_keeps_the_digits_that_it_must_have() -> None:
    hours = units.Unit("h", 3600, 2, least_digits=2)
    assert [hours.number(value) for value in (45.63, 360.0, 2687.16, 47_484.0, 0.0)] == [
        "0.013",
        "0.10",
        "0.75",
        "13.19",
        "0.00",
    ]


def test_units_of_nothing_are_seconds_and_bytes() -> None:
    assert units.time_unit([]).symbol == "s"
    assert units.byte_unit([None]).text(0) == "0 B"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0409, "0.0409"), (41.249, "41.2"), (502.4, "502"), (12345.6, "12,346"), (0.00000012, "0.000000120")],
)
def test_three_significant_digits_without_an_exponent(value: float, text: str) -> None:
    assert units.significant(value) == text


def test_bytes_are_decimal() -> None:
    assert units.byte_unit([4_718_592]).text(4_718_592) == "4.72 MB"


def test_percent_has_the_digits_it_needs() -> None:
    assert [units.percent(f) for f in (0.9, 0.95, 0.995, 0.07)] == ["90 %", "95 %", "99.5 %", "7 %"]


def test_metrics_have_names_for_people() -> None:
    names = ("accuracy", "f1", "exact_match", "f1_per_answer", "unknown_to_us")
    assert [units.metric_name(name) for name in names] == [
        "accuracy",
        "F1",
        "exact match",
        "F1 per answer",
        "unknown_to_us",
    ]


def test_every_metric_of_the_tasks_has_a_name_without_underscores() -> None:
    metrics = [metric for task in METRICS.values() for metric in task]
    assert len(metrics) > 8
    assert not [metric for metric in metrics if "_" in units.metric_name(metric)]


def test_words_are_listed_as_a_sentence_does() -> None:
    assert units.listing(["a"]) == "a"
    assert units.listing(["a", "b", "c"]) == "a, b and c"


def test_counts_agree_with_their_noun() -> None:
    assert (units.counted(1, "round"), units.counted(2000, "round")) == ("1 round", "2,000 rounds")
