"""The first crossing of a target, with numbers made by hand."""

from __future__ import annotations

import pytest
from run_folders import round_record

from analysis.targets import best_metric, first_crossing, payload_bytes, reaches
from harness.profiles import TargetProfile

TARGET = TargetProfile(metric="accuracy", value=0.8)


def rounds(*metrics: float | None):
    return [round_record(number, metric) for number, metric in enumerate(metrics, start=1)]


def test_the_first_round_at_or_above_the_threshold_counts() -> None:
    crossing = first_crossing(rounds(0.5, 0.71, 0.73, 0.9), TARGET, 0.9)
    assert crossing is not None
    assert (crossing.round, crossing.elapsed_s, crossing.payload_bytes) == (3, 12.0, 6000)


def test_a_later_fall_changes_nothing() -> None:
    crossing = first_crossing(rounds(0.5, 0.75, 0.2, 0.79), TARGET, 0.9)
    assert crossing is not None
    assert crossing.round == 2


def test_a_target_that_is_never_reached_has_no_time() -> None:
    assert first_crossing(rounds(0.5, 0.7199), TARGET, 0.9) is None
    assert first_crossing([], TARGET, 0.9) is None


@pytest.mark.parametrize(
    ("metric", "value", "fraction"), [(0.72, 0.8, 0.9), (0.63, 0.7, 0.9), (0.297, 0.3, 0.99), (0.665, 0.7, 0.95)]
)
def test_exactly_the_threshold_is_enough_whatever_floats_make_of_the_product(
    metric: float, value: float, fraction: float
) -> None:
    crossing = first_crossing(rounds(metric), TargetProfile(value=value), fraction)
    assert crossing is not None
    assert crossing.round == 1


def test_one_sample_in_a_million_below_the_threshold_is_not_enough() -> None:
    assert not reaches(0.72 - 1e-6, 0.9 * 0.8)


def test_a_round_that_was_not_evaluated_cannot_cross_but_its_seconds_and_bytes_count() -> None:
    crossing = first_crossing(rounds(None, None, 0.75), TARGET, 0.9)
    assert crossing is not None
    assert (crossing.round, crossing.elapsed_s, crossing.payload_bytes) == (3, 12.0, 6000)


def test_another_metric_is_not_the_target() -> None:
    other = [round_record(1, metrics={"f1": 0.99})]
    assert first_crossing(other, TARGET, 0.9) is None
    assert best_metric(other, "accuracy") is None
    assert best_metric(other, "f1") == 0.99


def test_payload_is_both_directions_of_all_rounds() -> None:
    assert payload_bytes(rounds(0.1, None)) == 4000
