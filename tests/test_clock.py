"""The run's clock stands still while no controller runs."""

from __future__ import annotations

from harness.clock import RunClock, VirtualClock


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


def test_the_server_s_work_has_already_passed_on_a_real_clock() -> None:
    machine_s = [0.0]
    clock = RunClock(now=lambda: machine_s[0])
    assert (clock.spend(3.0), clock.now_s()) == (3.0, 0.0)
    assert (clock.aside(2.0), clock.now_s()) == (2.0, 0.0)


def test_a_virtual_clock_goes_on_only_when_told_to_and_never_back() -> None:
    clock = VirtualClock(10.0)
    clock.advance_to(12.5)
    clock.advance_to(11.0)
    assert clock.now_s() == 12.5
    assert (clock.spend(3.0), clock.now_s()) == (3.0, 15.5)
    assert (clock.aside(2.0), clock.now_s()) == (0.0, 15.5)


def test_what_a_table_says_of_the_server_counts_instead_of_what_it_takes_here() -> None:
    clock = VirtualClock(server_s=0.5)
    assert (clock.spend(3.0), clock.now_s()) == (0.5, 0.5)
