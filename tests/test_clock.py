"""The run's clock goes on where the record ended, whatever the machine's clock says."""

from __future__ import annotations

from harness.clock import RunClock


def test_a_new_run_starts_at_zero() -> None:
    ticks = iter([1000.0, 1000.0, 1002.5])
    clock = RunClock(now=lambda: next(ticks))
    assert [clock.now_s(), clock.now_s()] == [0.0, 2.5]


def test_a_resumed_run_goes_on_at_its_last_event() -> None:
    ticks = iter([5.0, 5.0, 6.0])
    clock = RunClock(start_s=120.0, now=lambda: next(ticks))
    assert [clock.now_s(), clock.now_s()] == [120.0, 121.0]
