"""A record that cannot be true is found out before it counts."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_folders import client_record

from harness.fleets.claims import fault_of
from harness.records import ClientRecord

NUMBERS = [name for name, value in msgspec.structs.asdict(client_record()).items() if type(value) in (int, float)]


def told(**changes: Any) -> ClientRecord:
    return msgspec.structs.replace(client_record(download_bytes=500, upload_bytes=400), **changes)


def test_what_an_agent_measured_is_believed() -> None:
    assert fault_of(told(), [500], 400) is None
    assert fault_of(told(samples=1, wire_bytes=2**53), [500], 400) is None
    assert fault_of(told(loss=None, wire_bytes=None, energy_j=0.0, resumed_bytes=900), [500], 400) is None


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [-1, -0.5, math.nan, math.inf, 2**60])
def test_no_number_may_be_negative_endless_or_none_at_all(name: str, value: float) -> None:
    fault = fault_of(told(**{name: value}), [500], 400)
    assert fault is not None
    assert fault.startswith(f"its {name} is ")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"samples": 0}, "its update is of no samples; one needs at least one"),
        ({"download_bytes": 499}, "its download_bytes are 499, but 500 are known"),
        ({"upload_bytes": 401}, "its upload_bytes are 401, but 400 are known"),
        ({"resumed_bytes": 901}, "its resumed_bytes are 901, more than was to be moved"),
    ],
)
def test_what_the_controller_knows_better_is_held_against_it(changes: dict[str, Any], fault: str) -> None:
    assert fault_of(told(**changes), [500], 400) == fault


def test_a_download_is_of_one_of_the_blobs_that_went_to_the_agent() -> None:
    assert fault_of(told(download_bytes=20), [20, 500], 400) is None
    assert fault_of(told(download_bytes=21), [500, 20], 400) == "its download_bytes are 21, but 20 or 500 are known"
    assert fault_of(told(download_bytes=20, resumed_bytes=421), [20, 500], 400) is not None


@given(st.sampled_from(NUMBERS), st.integers() | st.floats())
def test_any_number_is_judged_without_an_error(name: str, value: float) -> None:
    fault = fault_of(told(**{name: value}), [500], 400)
    assert fault is None or fault.startswith("its ")
