"""Samples are kept as far as they can be samples, and as many as sensors can have given."""

from __future__ import annotations

import math
from typing import Any

import pytest

from harness.fleets.telemetry_claims import BURST_S, MOST_FIELDS, Allowance, fault_of
from harness.protocol.messages import Telemetry


def message(**changes: Any) -> Telemetry:
    told: dict[str, Any] = {"source": "ina3221", "fields": ("at_s", "total_w"), "rows": ((1.0, 5.0), (1.1, None))}
    return Telemetry(**(told | changes))


def test_samples_are_kept() -> None:
    assert fault_of(message()) is None
    assert fault_of(message(fields=("at_s", "rail_sum of shunt voltages_w"))) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": ""}, "nobody could read"),
        ({"fields": ("at_s", "w\n")}, "nobody could read"),
        ({"fields": ("total_w", "at_s")}, "first field must be at_s"),
        ({"fields": ("at_s", "at_s")}, "each field another"),
        ({"fields": ("at_s", "run_s")}, "each field another"),
        ({"rows": ((1.0,),)}, "as many values as there are fields"),
        ({"rows": ((None, 1.0),)}, "no moment of a clock"),
        ({"rows": ((math.nan, 1.0),)}, "no moment of a clock"),
        ({"rows": ((-1.0, 1.0),)}, "no moment of a clock"),
        ({"rows": ((1e308, 1.0),)}, "no moment of a clock"),
    ],
)
def test_what_is_no_sample_is_not_kept(changes: dict[str, Any], words: str) -> None:
    assert words in str(fault_of(message(**changes)))


def rows(count: int, fields: int = 40) -> Telemetry:
    return message(fields=("at_s", *map(str, range(fields - 1))), rows=((1.0,) * fields,) * count)


def test_an_agent_that_was_away_for_ten_minutes_may_send_all_it_has() -> None:
    allowance = Allowance(10.0, 100.0)
    assert [allowance.take(rows(100), 100.0) for _ in range(60)] == [None] * 60
    assert [allowance.take(rows(10), 100.0 + second) for second in range(3600)] == [None] * 3600


def test_a_broken_agent_is_held_to_the_rate_of_sensors() -> None:
    allowance, hz = Allowance(10.0, 0.0), 10.0
    faults = [allowance.take(rows(100), step / 100) for step in range(2000)]
    assert faults.count(None) * 100 * 40 <= 2 * hz * 100 * (BURST_S + 20.0)
    assert "more than its sensors" in str(faults[-2:])


def test_nobody_sends_what_was_not_asked_for() -> None:
    assert Allowance(0.0, 0.0).take(message(), 1.0) == "nobody asked for them"


def test_a_table_does_not_grow_more_columns_than_devices_have_sensors() -> None:
    allowance = Allowance(50.0, 0.0)
    faults = [allowance.take(message(fields=("at_s", str(number))), 0.0) for number in range(MOST_FIELDS)]
    assert faults[:-1] == [None] * (MOST_FIELDS - 1)
    assert "more than 200 fields" in str(faults[-1])
