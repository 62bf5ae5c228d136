"""The run's clock stands still while no controller runs."""

from __future__ import annotations

from harness.clock import RunClock


def test_it_begins_at_zero_or_where_the_run_stopped_whatever_the_machine_s_clock_says() -> None:
    machine_s = [1000.0]
    new = RunClock(now=lambda: machine_s[0])
    resumed = RunClock(42.5, now=lambda: machine_s[0])
    assert (new.now_s(), resumed.now_s()) == (0.0, 42.5)
    machine_s[0] += 7.0
    assert (new.now_s(), resumed.now_s()) == (7.0, 49.5)


def test_it_never_goes_back() -> None:
    clock = RunClock()
    first = clock.now_s()
    assert 0.0 <= first <= clock.now_s()
