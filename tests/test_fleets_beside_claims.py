"""Energy, heat and moments that cannot be true are dropped; the update that they stand beside counts."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_folders import client_record

from harness.fleets.beside_claims import believed, fault_of_vitals
from harness.records import ClientRecord
from harness.timeline import Offset, Timeline
from harness.vitals import Vitals

VITALS = Vitals(
    source="ina3221",
    samples=30,
    coverage=1.0,
    energy_j=40.0,
    rails_j={"VDD_GPU_SOC": 30.0, "VDD_CPU_CV": None},
    mean_w=12.0,
    temperature_max_c=-4.0,
    power_mode="MODE_30W",
    flags=("throttled",),
)
TIMELINE = Timeline(
    arrived_s=900.0,
    phase_at_s={"download": 0.0, "load": 0.5, "train": 0.75, "serialise": 2.75, "upload": 2.8125},
    download=Offset(offset_s=-890.0, uncertainty_s=0.001),
)
NOW_S = 13.6
"""The task arrived at 10 s of the run's clock and took 3.5625 s."""


def told(**changes: Any) -> ClientRecord:
    return client_record(**{"vitals": VITALS, "energy_j": VITALS.energy_j, "timeline": TIMELINE, **changes})


def vitals(**changes: Any) -> Vitals:
    return msgspec.structs.replace(VITALS, **changes)


def timeline(**changes: Any) -> Timeline:
    return msgspec.structs.replace(TIMELINE, **changes)


def test_what_was_measured_is_believed() -> None:
    assert believed(told(), NOW_S) == (told(), [])
    bare = client_record()
    assert believed(bare, NOW_S) == (bare, [])
    unmeasured = told(vitals=vitals(energy_j=None, flags=("gap",)), energy_j=None)
    assert believed(unmeasured, NOW_S) == (unmeasured, [])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vitals": None, "energy_j": 40.0}, "has no vitals"),
        ({"energy_j": 41.0}, "its energy_j is 41.0, that of its vitals 40.0"),
        ({"energy_j": None}, "its energy_j is None"),
        ({"energy_j": -1.0, "vitals": vitals(energy_j=-1.0)}, "energy_j of its vitals is -1.0"),
        ({"energy_j": math.nan, "vitals": vitals(energy_j=math.nan)}, "energy_j of its vitals is nan"),
        ({"vitals": vitals(rails_j={"a": math.inf})}, "a of its vitals is inf"),
        ({"vitals": vitals(rails_j={str(number): 1.0 for number in range(33)})}, "33 rails"),
        ({"vitals": vitals(rails_j={"\x1b[31m": 1.0})}, "not of printable characters"),
        ({"vitals": vitals(power_mode="x" * 65)}, "too long"),
        ({"vitals": vitals(temperature_max_c=-256.0)}, "temperature_max_c of its vitals is -256.0"),
        ({"vitals": vitals(coverage=1.5)}, "more than all of the time"),
        ({"vitals": vitals(samples=-1)}, "samples of its vitals is -1"),
        ({"vitals": vitals(flags=("gap", "gap"))}, "a flag twice"),
    ],
)
def test_energy_that_cannot_be_true_is_dropped_with_all_that_sensors_told(changes: dict[str, Any], words: str) -> None:
    record, (fault,) = believed(told(**changes), NOW_S)
    assert words in fault
    assert record == told(vitals=None, energy_j=None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arrived_s": math.nan}, "arrived at nan"),
        ({"arrived_s": -1.0}, "arrived at -1.0"),
        ({"phase_at_s": {"lunch": 1.0}}, "a phase 'lunch'"),
        ({"phase_at_s": {"train": 2.0}}, "its train lasts from 2.0 to 4.0 s"),
        ({"phase_at_s": {"download": -0.5}}, "its download lasts from -0.5"),
        ({"phase_at_s": {"train": math.nan}}, "its train lasts from nan"),
        ({"phase_at_s": {"download": 1.0, "load": 0.5}}, "it may begin at 1.5 s"),
        ({"download": Offset(offset_s=math.inf, uncertainty_s=0.0)}, "the offset of its download is inf"),
        ({"upload": Offset(offset_s=0.0, uncertainty_s=-1.0)}, "the offset of its upload is 0.0 +- -1.0"),
        ({"upload": Offset(offset_s=-880.0, uncertainty_s=0.1)}, "arrive 6.400 s from now"),
        ({"upload": Offset(offset_s=-901.0, uncertainty_s=0.1)}, "arrive 1.000 s before the run"),
        ({"download": Offset(offset_s=-1e300, uncertainty_s=0.1)}, "before the run"),
        ({"upload": Offset(offset_s=-890.0, uncertainty_s=1e9)}, "is -890.0 +- 1000000000.0 s"),
    ],
)
def test_a_timeline_that_cannot_be_true_is_dropped_and_energy_is_kept(changes: dict[str, Any], words: str) -> None:
    record, (fault,) = believed(told(timeline=timeline(**changes)), NOW_S)
    assert words in fault
    assert record == told(timeline=None)


def test_a_trifle_too_much_is_not_held_against_anybody() -> None:
    late = told(timeline=timeline(phase_at_s={"download": 0.2, "load": 0.5}, upload=TIMELINE.download))
    assert believed(late, NOW_S - 3.7)[1] == []


@given(
    st.builds(
        Vitals,
        source=st.text(),
        samples=st.integers(),
        coverage=st.floats(),
        energy_j=st.none() | st.floats(),
        rails_j=st.dictionaries(st.text(), st.none() | st.floats()),
        power_mode=st.none() | st.text(),
    )
)
def test_any_vitals_are_judged_without_an_error(said: Vitals) -> None:
    assert fault_of_vitals(said) is None or "vitals" in str(fault_of_vitals(said))


@given(st.floats(), st.dictionaries(st.text(), st.floats()), st.floats(), st.floats())
def test_any_timeline_is_judged_without_an_error(
    arrived_s: float, phase_at_s: dict[str, float], offset_s: float, uncertainty_s: float
) -> None:
    said = Timeline(
        arrived_s=arrived_s, phase_at_s=phase_at_s, upload=Offset(offset_s=offset_s, uncertainty_s=uncertainty_s)
    )
    record, faults = believed(told(timeline=said), NOW_S)
    assert (record.timeline is None) == bool(faults)
