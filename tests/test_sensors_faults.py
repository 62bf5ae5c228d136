"""What makes a sensor's values doubtful."""

from __future__ import annotations

from sensor_rows import layout, ramp, sampled

from harness.sensors.faults import FROZEN_S, frozen, went_off
from harness.sensors.fields import OFFLINE, temperature_field


def standing(seconds: float, from_s: float = 0.0) -> list[tuple[float, float]]:
    return [(from_s + n / 10, 5.0) for n in range(int(seconds * 10) + 1)]


def test_the_same_value_for_long_is_frozen() -> None:
    assert frozen(standing(FROZEN_S + 1), 0.0, FROZEN_S + 1)
    assert not frozen(standing(FROZEN_S - 1), 0.0, FROZEN_S + 1)


def test_a_flicker_of_one_step_is_a_sign_of_life() -> None:
    flickering = [(at_s, 5.0 if at_s != 6.0 else 5.1) for at_s, _ in standing(FROZEN_S + 1)]
    assert not frozen(flickering, 0.0, FROZEN_S + 1)


def test_a_long_window_is_not_lost_for_a_quiet_moment_at_its_beginning() -> None:
    moving = [(FROZEN_S + n / 10, 6.0 + n) for n in range(1, 400)]
    assert not frozen([*standing(FROZEN_S), *moving], FROZEN_S - 1, FROZEN_S + 40)


def test_a_short_window_within_a_long_standstill_is_frozen() -> None:
    assert frozen(standing(30.0), 20.0, 22.0)


def test_only_a_sensor_that_was_on_can_go_off() -> None:
    zone = temperature_field("cv0")
    always = sampled(layout(zone), 10.0, ramp, lambda at_s: (OFFLINE,))
    later = sampled(layout(zone), 10.0, ramp, lambda at_s: (OFFLINE if at_s > 5.0 else 40.0,))
    assert not went_off(always, 0.0, 10.0)
    assert went_off(later, 0.0, 10.0)
    assert went_off(later, 6.0, 10.0)
    assert not went_off(later, 0.0, 4.0)
