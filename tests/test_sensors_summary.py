"""The vitals of a window: energy where all of it is known, and null with the reason where it is not."""

from __future__ import annotations

import pytest
from sensor_rows import RAILS, layout, ramp, sampled

from harness.sensors.fields import CPU_HZ, MEMORY, OFFLINE, events_field, rail_field, temperature_field
from harness.sensors.series import Layout, Series
from harness.sensors.summary import mean_w, vitals


def test_energy_is_the_sum_of_the_integrals_of_the_rails_of_the_total() -> None:
    rails = (*RAILS, "VDDQ_VDD2_1V8AO")
    told = vitals(sampled(layout(rails=rails), 30.0, ramp), 10.0, 20.0)
    each_j = 5.0 * 10 + (20.0**2 - 10.0**2) / 8
    assert told.energy_j == pytest.approx(3 * each_j)
    assert told.rails_j == pytest.approx(dict.fromkeys(rails, each_j))
    assert told.mean_w == pytest.approx(3 * each_j / 10)
    assert told.coverage == pytest.approx(1.0)
    assert (told.samples, told.flags) == (101, ())


def test_a_gap_makes_energy_null_and_keeps_the_coverage() -> None:
    told = vitals(sampled(layout(), 30.0, ramp, but=lambda at_s: 12.0 < at_s < 14.0), 10.0, 20.0)
    assert told.energy_j is None
    assert told.mean_w is None
    assert told.coverage == pytest.approx(0.8)
    assert told.flags == ("gap", "low coverage")


def test_a_sample_or_two_may_come_late() -> None:
    told = vitals(sampled(layout(), 30.0, ramp, but=lambda at_s: 12.0 < at_s < 12.4), 10.0, 20.0)
    assert told.energy_j == pytest.approx(3 * (50 + 300 / 8))
    assert told.flags == ()


def test_a_rail_without_a_sensor_makes_energy_null() -> None:
    without = layout(rails=RAILS[:2], missing=RAILS[2:])
    told = vitals(sampled(without, 30.0, ramp), 10.0, 20.0)
    assert told.coverage == pytest.approx(1.0)
    assert (told.energy_j, told.rails_j["VIN_SYS_5V0"]) == (None, None)
    assert told.rails_j["VDD_GPU_SOC"] == pytest.approx(50 + 300 / 8)
    assert told.flags == ("missing rail",)


def test_a_rail_that_cannot_be_read_for_a_while_makes_energy_null() -> None:
    def watts(rail: str, at_s: float) -> float | None:
        return None if rail == "VDD_CPU_CV" and 12.0 < at_s < 14.0 else ramp(rail, at_s)

    told = vitals(sampled(layout(), 30.0, watts), 10.0, 20.0)
    assert told.coverage == pytest.approx(1.0)
    assert told.energy_j is None
    assert told.flags == ("missing rail",)


def test_a_value_that_stands_still_makes_energy_null() -> None:
    def watts(rail: str, at_s: float) -> float:
        return ramp(rail, min(at_s, 15.0) if rail == "VDD_GPU_SOC" else at_s)

    series = sampled(layout(), 40.0, watts)
    told = vitals(series, 5.0, 30.0)
    assert (told.energy_j, told.rails_j["VDD_GPU_SOC"]) == (None, None)
    assert told.rails_j["VDD_CPU_CV"] is not None
    assert told.flags == ("frozen",)
    assert vitals(series, 5.0, 18.0).energy_j is not None, "three seconds of the same are no reason"
    assert vitals(series, 30.0, 33.0).energy_j is None, "a short window sees what was before it"


def test_a_rail_that_says_it_is_off_makes_energy_null() -> None:
    def watts(rail: str, at_s: float) -> float:
        return OFFLINE if rail == "VIN_SYS_5V0" and at_s > 12.0 else ramp(rail, at_s)

    told = vitals(sampled(layout(), 30.0, watts), 10.0, 20.0)
    assert (told.energy_j, told.rails_j["VIN_SYS_5V0"]) == (None, None)
    assert told.flags == ("offline sensor",)


def test_a_temperature_that_goes_off_is_said_and_left_out() -> None:
    cpu, cv = temperature_field("cpu"), temperature_field("cv0")
    series = sampled(layout(cpu, cv), 30.0, ramp, lambda at_s: (OFFLINE if at_s > 12.0 else 40.0 + at_s, OFFLINE))
    told = vitals(series, 10.0, 20.0)
    assert told.temperature_max_c == pytest.approx(52.0)
    assert told.flags == ("offline sensor",)
    assert told.energy_j is not None, "its rails were measured"
    assert vitals(series, 1.0, 9.0).flags == (), "a zone of a part without power is always off"


def test_throttling_counts_from_the_last_reading_before_the_window() -> None:
    def others(at_s: float) -> tuple[float | None]:
        return (3.0 if at_s < 9.8 else 5.0 if at_s < 15.0 else 6.0,) if round(at_s * 10) % 5 == 0 else (None,)

    series = sampled(layout(events_field("oc1")), 30.0, ramp, others)
    assert vitals(series, 9.7, 20.0).throttle_events == 3
    assert vitals(series, 9.7, 20.0).flags == ("throttled",)
    assert [vitals(series, a, b).throttle_events for a, b in ((9.7, 14.0), (14.0, 20.0))] == [2, 1]
    assert vitals(series, 9.7, 14.9).throttle_events == 2, "what came after it is of the next one"
    assert vitals(series, 16.0, 20.0).throttle_events == 0


def test_a_counter_that_begins_anew_says_nothing() -> None:
    series = sampled(layout(events_field("oc1")), 30.0, ramp, lambda at_s: (9.0 if at_s < 12 else 0.0,))
    assert vitals(series, 10.0, 20.0).throttle_events is None


def test_clocks_are_means_and_memory_is_its_peak() -> None:
    series = sampled(layout(CPU_HZ, MEMORY), 30.0, ramp, lambda at_s: (1e9 if at_s < 15.0 else 2e9, at_s))
    told = vitals(series, 10.0, 20.0)
    assert told.cpu_mean_hz == pytest.approx(1.5e9, rel=0.01)
    assert (told.gpu_mean_hz, told.memory_peak_bytes) == (None, 20)
    assert told.peak_w == pytest.approx(3 * ramp("", 20.0))


def test_answers_of_a_service_that_stopped_are_stale() -> None:
    layout = Layout(source="jtop", fields=("at_s", "total_w", "uptime_s", rail_field("VDD_IN")), total=("VDD_IN",))
    series = Series(layout)
    for number in range(40):
        stopped = 10 <= number < 30
        series.add((number / 10, None, 7.0, None) if stopped else (number / 10, 8.0, 7.0 + number, 8.0 + number))
    told = vitals(series, 0.0, 3.5)
    assert told.energy_j is None
    assert told.flags == ("gap", "stale", "low coverage")


def test_without_samples_everything_is_null() -> None:
    told = vitals(Series(layout()), 0.0, 1.0)
    assert (told.samples, told.coverage, told.energy_j, told.peak_w) == (0, 0.0, None, None)
    assert told.flags == ("no samples", "gap", "low coverage")


def test_a_task_that_is_shorter_than_a_sample_lasts_is_measured_by_its_neighbours() -> None:
    told = vitals(sampled(layout(), 30.0, ramp), 10.02, 10.04)
    assert (told.samples, told.coverage, told.flags) == (0, pytest.approx(1.0), ())
    assert told.energy_j == pytest.approx(0.02 * 3 * ramp("", 10.03), rel=1e-6)


def test_a_machine_without_rails_has_no_energy_and_that_is_no_fault() -> None:
    series = Series(Layout(source="psutil", fields=("at_s", "total_w", MEMORY), gap_s=2.5))
    for number in range(21):
        series.add((number / 2, None, 1e9))
    told = vitals(series, 1.0, 9.0)
    assert (told.energy_j, told.rails_j, told.memory_peak_bytes, told.flags) == (None, {}, 10**9, ())


def test_the_idle_baseline_is_a_mean_and_needs_all_of_its_time() -> None:
    standing = sampled(layout(), 30.0, lambda rail, at_s: 2.5)
    assert mean_w(standing, 5.0, 25.0) == pytest.approx(7.5), "a board that waits may take the same all the time"
    assert mean_w(standing, 5.0, 35.0) is None
    assert mean_w(standing, 5.0, 5.0) is None
    assert vitals(standing, 1.0, 2.0, idle_w=7.5).idle_w == 7.5
