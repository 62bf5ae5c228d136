"""How well links keep their profiles, by both shapers, both ways, and what it costs: between two network namespaces.

    .venv/bin/python tests/benchmarks/shapers.py           as root; about four minutes

Real transfers of so many seconds each, over a virtual cable: chunks as agents and controllers send them, at the pace of
agents.shaping (user) and through classes of the kernel (kernel), and over plain TCP as the shapers' probe sends it. In
each row: what the profile allowed, what was achieved by the agent's clock, what the interface's own counter says
without headers, and the processor's share of the agent's process. Then a trace of 20 to 30 Mbit/s, by its steps.
A benchmark, not a test: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from shaping_stage import Machines, Moved

from harness.profiles import RateProfile

KINDS = (("user", "chunks"), ("kernel", "chunks"), ("kernel", "tcp"))
WAYS = ("down", "up")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rates", type=float, nargs="+", default=[5, 25, 100], help="Mbit/s")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each transfer")
    parser.add_argument("--trace-seconds", type=float, default=15.0, help="of each trace")
    parser.add_argument("--repetitions", type=int, default=3)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, Machines(Path(folder)) as machines:
        for at in ("controller", "agent"):
            machines.helper(at)
        _print_head()
        for rate_mbps in asked.rates:
            _at_rate(machines, rate_mbps, asked.seconds, asked.repetitions)
        _trace(machines, asked.trace_seconds)
    return 0


def _at_rate(machines: Machines, rate_mbps: float, seconds: float, repetitions: int) -> None:
    """Rows of all kinds and ways, and what the pace of user space takes beyond what moving the bytes takes anyway."""
    rate, shares = RateProfile(rate_mbps=rate_mbps), {}
    for by, through in KINDS:
        moved = [
            one
            for _ in range(repetitions)
            for one in machines.moved(*WAYS, rate=rate, seconds=seconds, by=by, through=through)
        ]
        for way in WAYS:
            of_way = [one for one in moved if one.probe.way == way]
            shares[by, through, way] = statistics.mean(one.cpu_share for one in of_way)
            _print(rate_mbps, by, through, way, of_way)
    more = [shares["user", "chunks", way] - shares["kernel", "chunks", way] for way in WAYS]
    print(f"        user-space shaping takes {more[0]:.1%} of a processor more down, {more[1]:.1%} more up")


def _print_head() -> None:
    print("Mbit/s  shaper  through  way   achieved (lowest to highest)   by interface  deviation  largest  processor")


def _print(rate_mbps: float, by: str, through: str, way: str, moved: list[Moved]) -> None:
    probes = [one.probe for one in moved]
    achieved = [probe.achieved_mbps for probe in probes]
    counted = statistics.mean(probe.interface_mbps for probe in probes)
    deviation = statistics.mean(probe.deviation for probe in probes)
    largest = max((abs(each), each) for probe in probes for each in (probe.deviation, probe.interface_deviation))[1]
    cpu = statistics.mean(one.cpu_share for one in moved)
    print(
        f"{rate_mbps:6.0f}  {by:6}  {through:7}  {way:4}  {statistics.mean(achieved):8.3f} ({min(achieved):.3f} to "
        f"{max(achieved):.3f})   {counted:10.3f}   {deviation:+8.2%}  {largest:+7.2%}  {cpu:8.1%}"
    )


def _trace(machines: Machines, seconds: float) -> None:
    """The steps of a trace, as the interface counts them, and what replaying it takes of a processor."""
    for by, step_s in (("user", 0.5), ("kernel", 0.5), ("kernel", 0.2), ("kernel", 0.1)):
        rate = RateProfile(rate_min_mbps=20, rate_max_mbps=30, step_s=step_s)
        helper = machines.helpers["agent"]
        before_s = _used_s(helper.pid)
        moved, steps = machines.traced(rate, seconds, by)
        share = (_used_s(helper.pid) - before_s) / moved.probe.seconds
        wanted, found = [step.wanted_mbps for step in steps], [step.found_mbps for step in steps]
        apart = [abs(step.found_mbps / step.wanted_mbps - 1) for step in steps]
        print(
            f"trace of 20 to 30 Mbit/s, a step each {step_s:g} s, {by}, up: mean {moved.probe.achieved_mbps:.3f} of "
            f"{moved.probe.allowed_mbps:.3f} ({moved.probe.deviation:+.2%}); {len(steps)} whole steps from "
            f"{min(found):.2f} to {max(found):.2f}, drawn {min(wanted):.2f} to {max(wanted):.2f}; a step is "
            f"{statistics.median(apart):.1%} off at the median, {max(apart):.1%} at most; the helper took {share:.1%} "
            "of a processor"
        )


def _used_s(pid: int) -> float:
    """The seconds of processor that a process and those it started and waited for have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[index]) for index in range(11, 15)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
