"""The remaining time is the recent rounds', and unknown before there is one."""

from __future__ import annotations

import pytest

from harness.remaining import remaining_s, spoken


def test_nothing_is_promised_before_the_first_round_has_ended() -> None:
    assert remaining_s([], 30) is None
    assert spoken(None) == "?"


def test_one_slow_round_does_not_move_the_median() -> None:
    assert remaining_s([2.0, 2.0, 60.0], 5) == 10.0


def test_only_the_last_ten_rounds_speak() -> None:
    assert remaining_s([100.0] * 50 + [1.0] * 10, 7) == 7.0


def test_no_rounds_left_is_no_time_left() -> None:
    assert remaining_s([3.0], 0) == 0.0


@pytest.mark.parametrize(("seconds", "text"), [(40.4, "40 s"), (180.0, "3 min"), (9000.0, "2.5 h")])
def test_times_are_coarse(seconds: float, text: str) -> None:
    assert spoken(seconds) == text
