"""Figures of benchmarks: medians against limits, and measuring in turns."""

from __future__ import annotations

from pathlib import Path

import pytest
from perf.base import Figure, Pace, ratios


@pytest.mark.parametrize(
    ("limits", "reached"),
    [
        ({}, None),
        ({"at_most": 2.0}, True),
        ({"at_most": 1.9}, False),
        ({"at_least": 2.0}, True),
        ({"at_least": 2.1}, False),
        ({"at_least": 1.0, "at_most": 1.5}, False),
    ],
)
def test_a_limit_is_of_the_median(limits: dict[str, float], reached: bool | None) -> None:
    figure = Figure(name="rounds", unit="s", values=(1.0, 9.0, 2.0), **limits)
    assert (figure.median, figure.spread, figure.reached) == (2.0, (1.0, 9.0), reached)
    assert figure.limited == (reached is not None)


def test_what_is_compared_is_measured_in_turns_every_second_one_backwards(tmp_path: Path) -> None:
    order: list[str] = []

    def measuring(name: str, value: float) -> float:
        order.append(name)
        return value + len(order)

    pace = Pace(tmp_path, lambda _: None, repetitions=2, warm_ups=1)
    values = pace.side_by_side({"ours": lambda: measuring("ours", 0.0), "bare": lambda: measuring("bare", 10.0)})
    assert order == ["ours", "bare", "bare", "ours", "ours", "bare"]
    assert values == {"ours": [4.0, 5.0], "bare": [13.0, 16.0]}
    assert ratios(values["bare"], values["ours"]) == (13 / 4, 16 / 5)


def test_ratios_need_a_value_of_each_turn() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])
