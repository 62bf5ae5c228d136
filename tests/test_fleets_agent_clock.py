"""An agent's stamps on the run's clock: by the comparisons near them, and none without any."""

from __future__ import annotations

import pytest

from harness.fleets.agent_clock import AgentClock
from harness.timeline import Offset


def offset(offset_s: float, uncertainty_s: float = 0.001) -> Offset:
    return Offset(offset_s=offset_s, uncertainty_s=uncertainty_s)


def test_without_a_comparison_nothing_is_known() -> None:
    assert AgentClock(0.0).run_s(5.0) is None


def test_between_two_comparisons_a_clock_drifts_evenly_and_beyond_them_it_stays() -> None:
    clock = AgentClock(0.0)
    clock.compared(200.0, offset(-99.0))
    clock.compared(100.0, offset(-100.0))
    assert clock.run_s(150.0) == pytest.approx(50.5)
    assert clock.run_s(125.0) == pytest.approx(25.25)
    assert (clock.run_s(100.0), clock.run_s(200.0)) == (0.0, 101.0)
    assert (clock.run_s(300.0), clock.run_s(99.0)) == (201.0, None)


def test_of_two_comparisons_at_one_moment_the_surer_counts() -> None:
    clock = AgentClock(0.0)
    clock.compared(10.0, offset(1.0, 0.5))
    clock.compared(10.0, offset(2.0, 0.1))
    clock.compared(10.0, offset(3.0, 0.2))
    assert clock.run_s(10.0) == 12.0


def test_what_was_measured_before_this_controller_has_no_place_on_the_runs_clock() -> None:
    clock = AgentClock(since_s=50.0)
    clock.compared(200.0, offset(-100.0))
    assert (clock.run_s(149.0), clock.run_s(150.0)) == (None, 50.0)
