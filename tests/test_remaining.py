"""The remaining time says what the last rounds say, and nothing before there was one."""

from __future__ import annotations

import pytest

from harness.remaining import WINDOW, remaining_s, spoken


def test_before_the_first_round_has_ended_nothing_is_known() -> None:
    assert remaining_s([], 30) is None
    assert remaining_s([], 30, open_s=100.0) is None


def test_it_is_the_median_of_the_last_rounds_times_those_left() -> None:
    assert remaining_s([4.0], 29) == 116.0
    assert remaining_s([4.0, 4.0, 90.0, 4.0, 4.0], 10) == 40.0, "one slow round does not change what is usual"
    assert remaining_s([100.0] * WINDOW + [2.0] * WINDOW, 3) == 6.0, "only the last ones count"


def test_what_the_open_round_took_is_not_left_any_more() -> None:
    assert remaining_s([10.0], 3, open_s=4.0) == 26.0
    assert remaining_s([10.0], 3, open_s=70.0) == 20.0, "however late it is, the others are still to come"


def test_at_the_end_nothing_is_left() -> None:
    assert remaining_s([10.0], 0, open_s=0.1) == 0.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "?"),
        (0.0, "0 s"),
        (89.4, "89 s"),
        (91.0, "2 min"),
        (3600.0, "60 min"),
        (180.0, "3 min"),
        (5400.0, "1.5 h"),
        (90e3, "25.0 h"),
    ],
)
def test_seconds_are_said_as_coarse_as_they_are_known(seconds: float | None, words: str) -> None:
    assert spoken(seconds) == words
