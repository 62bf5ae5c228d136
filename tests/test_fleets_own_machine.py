"""The controller's own machine: what the doctor finds and the sensors tell delays nothing and ends nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from harness.doctor import Finding
from harness.fleets.own_machine import Checkup, OwnSensors, checkup
from harness.protocol.messages import Telemetry
from harness.vitals import Vitals


def test_findings_are_told_once_when_they_are_there() -> None:
    may_go = threading.Event()

    def examine() -> list[Finding]:
        may_go.wait()
        return [Finding(name="disk", state="ok", says="room")]

    visit = Checkup(examine)
    assert visit.findings() is None
    may_go.set()
    (found,) = visit.findings(wait_s=60.0) or []
    assert (found["name"], found["state"]) == ("disk", "ok")
    assert visit.findings() is None


def test_a_doctor_that_fails_found_nothing() -> None:
    def examine() -> list[Finding]:
        raise RuntimeError("out of order")

    assert Checkup(examine).findings(wait_s=60.0) == []


def test_the_real_doctor_looks_at_this_machine_as_a_controller(tmp_path: Path) -> None:
    found = checkup(None, tmp_path).findings(wait_s=60.0) or []
    assert {"name", "state", "says", "do"} <= found[0].keys()


class Sensors:
    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []

    def read(self) -> list[Telemetry]:
        return []

    def window(self, begin_s: float, end_s: float) -> Vitals | None:
        self.asked.append((begin_s, end_s))
        return Vitals(source="nvml", samples=1, coverage=1.0)

    def describe(self) -> dict[str, Any]:
        return {"source": "nvml"}

    def close(self) -> None:
        raise OSError("it is gone already")


def test_a_window_of_the_run_is_one_of_the_sensors_clock_and_none_of_an_earlier_controllers() -> None:
    sensors = Sensors()
    own = OwnSensors(sensors, zero_s=1000.0, since_s=50.0)
    assert own.vitals(60.0, 65.0) == Vitals(source="nvml", samples=1, coverage=1.0)
    assert own.vitals(40.0, 65.0) is None
    assert sensors.asked == [(1060.0, 1065.0)]
    compared = own.clock()
    assert compared.at_s + compared.offset.offset_s == 50.0
    own.close()
