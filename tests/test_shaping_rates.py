"""Links keep their profiles between two machines: by both shapers, both ways, by the agent's clock and the interface's
counter. A shorter tests/benchmarks/shapers.py; what a busy test machine takes away, another try may get."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from shaping_stage import Machines, flow

from harness.profiles import RateProfile
from harness.shaping.probe import TOLERANCE

RATE = RateProfile(rate_mbps=25)
TRIES = 4
RANGE_TOLERANCE = 0.1
"""Of a single step, where 10 ms of a busy machine are a fortieth; a rate that does not change would be 17 % off."""


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with Machines(tmp_path_factory.mktemp("machines")) as made:
        for at in ("controller", "agent"):
            made.helper(at)
        yield made


@pytest.mark.parametrize("way", ["down", "up"])
@pytest.mark.parametrize(("by", "through"), [("user", "chunks"), ("kernel", "chunks"), ("kernel", "tcp")])
def test_a_link_keeps_its_profile(machines: Machines, by: str, through: str, way: str) -> None:
    seen = []
    for _ in range(TRIES):
        (moved,) = machines.moved(way, rate=RATE, seconds=1.5, by=by, through=through)
        seen.append((moved.probe.deviation, moved.probe.interface_deviation))
        assert max(seen[-1]) <= TOLERANCE, f"faster than the profile: {seen}"
        if moved.probe.kept:
            return
    pytest.fail(f"never within {TOLERANCE:.0%} of the profile: {seen}")


def test_a_link_that_nobody_shapes_is_not_kept(machines: Machines) -> None:
    (moved,) = machines.moved("up", rate=RATE, seconds=1.5, by="nothing", through="tcp")
    assert moved.probe.deviation > 1
    assert moved.probe.interface_deviation > 1


def test_what_is_not_the_controllers_port_stays_free(machines: Machines) -> None:
    elsewhere = flow("agent", port=22)
    with machines.shaper("agent") as shaper:
        shaper.shape(elsewhere)
        (moved,) = machines.moved("up", rate=RATE, seconds=1.5, by="nothing", through="tcp")
        assert moved.probe.deviation > 1
        assert shaper.counted(elsewhere).sent_bytes == 0


@pytest.mark.parametrize("by", ["user", "kernel"])
def test_a_trace_is_reproduced_with_its_mean_and_its_range(machines: Machines, by: str) -> None:
    rate = RateProfile(rate_min_mbps=20, rate_max_mbps=30, step_s=0.4)
    seen = []
    for _ in range(TRIES):
        moved, steps = machines.traced(rate, 2.8, by)
        wanted, found = [step.wanted_mbps for step in steps], [step.found_mbps for step in steps]
        assert max(wanted) > 1.2 * min(wanted)
        ends = min(found) / min(wanted) - 1, max(found) / max(wanted) - 1
        seen.append((moved.probe.kept, *ends))
        if moved.probe.kept and max(abs(each) for each in ends) <= RANGE_TOLERANCE:
            return
    pytest.fail(f"never like the trace: {seen}")
