"""Time by rate: it is what retiming gives at each rate, and methods cross where they take equally long."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
import timed_runs
from timed_runs import timed_run

from analysis.goals import goal_of
from analysis.load import Run
from analysis.retime.rates import MethodLine, RateCurve, by_rate, crossovers, method_lines, rate_curve
from analysis.retime.study import Study, study
from harness.profiles import DeviceProfile, LinkProfile
from harness.records import Clock

SLOW = DeviceProfile(name="slow", slowdown=3.0, slower_than="desk")
RATES_MBPS = (1.0, 7.3, 40.0, 900.0)


def line(label: str, *curves: tuple[float, float] | None) -> MethodLine:
    """A method whose runs take seconds + bits / rate."""
    return MethodLine(label, "federa", tuple(None if curve is None else RateCurve(curve, ()) for curve in curves))


def uneven(run: Run) -> Run:
    """Client 1, which trains faster, sends a hundred times as much: who is the slowest depends on the rate."""
    clients = [
        msgspec.structs.replace(each, upload_bytes=100 * each.upload_bytes) if each.client == 1 else each
        for each in run.clients
    ]
    return Run(run.header, run.rounds, tuple(clients), run.path)


@pytest.mark.parametrize("clock", ["critical path", "wall"])
@pytest.mark.parametrize("rate_mbps", RATES_MBPS)
def test_a_curve_is_what_retiming_gives_at_each_rate(rate_mbps: float, clock: Clock) -> None:
    latency = LinkProfile(name="late", rate_mbps=1.0, latency_s=0.04, overhead_s=0.01)
    run = uneven(timed_run(clock=clock, late_s=0.5))
    own = study([run], latency, SLOW, "float16")
    at_rate = study([run], msgspec.structs.replace(latency, rate_mbps=rate_mbps), SLOW, "float16")
    for record in at_rate.retimed[0].rounds:
        seconds = rate_curve(own, run, record.round).seconds(rate_mbps * 1e6)
        assert seconds == pytest.approx(record.elapsed_s, rel=1e-12)


def test_a_method_that_ships_nothing_pays_no_first_transfer() -> None:
    run = timed_run("fedlr")
    steady = LinkProfile(name="steady", rate_mbps=5.0)
    (over,) = study([run], steady).retimed
    assert rate_curve(study([run], steady), run, 4).seconds(5e6) == pytest.approx(over.rounds[-1].elapsed_s, rel=1e-12)


def test_a_method_that_ships_less_than_a_state_pays_for_what_it_ships() -> None:
    run = timed_run()
    run = Run(msgspec.structs.replace(run.header, shipped_bytes=1_000_000), run.rounds, run.clients, run.path)
    steady = LinkProfile(name="steady", rate_mbps=5.0)
    (over,) = study([run], steady, None, "float16").retimed
    seconds = rate_curve(study([run], steady, None, "float16"), run, 4).seconds(5e6)
    assert seconds == pytest.approx(over.rounds[-1].elapsed_s, rel=1e-12)


def test_without_another_link_the_latency_is_the_recorded_one() -> None:
    run = timed_run()
    steady = LinkProfile(name="steady", rate_mbps=50.0, latency_s=run.experiment.link.latency_s)
    (over,) = study([run], steady).retimed
    assert rate_curve(study([run]), run, 4).seconds(50e6) == pytest.approx(over.rounds[-1].elapsed_s, rel=1e-12)


def test_two_lines_cross_where_they_take_equally_long() -> None:
    quick, small = line("FedFT", (100.0, 9e9)), line("FeDeRA", (130.0, 3e8))
    (crossover,) = crossovers([quick, small], 1e6, 1e9)
    rate_bps = (9e9 - 3e8) / (130.0 - 100.0)
    assert crossover.rate_bps == pytest.approx(rate_bps, rel=1e-12)
    assert crossover.seconds == pytest.approx(100.0 + 9e9 / rate_bps, rel=1e-12)
    assert (crossover.faster, crossover.slower) == ("FedFT", "FeDeRA")


def test_lines_may_cross_twice() -> None:
    """A round whose slowest client changes with the rate bends its line."""
    bent = MethodLine("FedAP", "fedap", (RateCurve((0.0, 0.0), (((20.0, 9e9), (110.0, 1e8)),)),))
    found = crossovers([bent, line("FedLR", (100.0, 4.9e9))], 1e6, 1e9)
    assert [(each.faster, each.slower) for each in found] == [("FedAP", "FedLR"), ("FedLR", "FedAP")]
    assert found[0].rate_bps == pytest.approx((9e9 - 4.9e9) / (100.0 - 20.0), rel=1e-12)
    assert found[1].rate_bps == pytest.approx((4.9e9 - 1e8) / (110.0 - 100.0), rel=1e-12)


@pytest.mark.parametrize(
    "lines",
    [
        [line("FedLR", (10.0, 1e8)), line("FeDeRA", (9.0, 1e8))],
        [line("FedLR", (10.0, 1e8)), line("FeDeRA", (10.0, 1e8))],
        [line("FedLR", (10.0, 1e8)), line("FeDeRA", None)],
        [line("FedLR", (10.0, 1e15)), line("FeDeRA", (11.0, 1e8))],
    ],
    ids=["parallel", "equal", "never", "outside"],
)
def test_others_do_not_cross(lines: Sequence[MethodLine]) -> None:
    assert crossovers(lines, 1e6, 1e9) == ()


def test_sums_in_another_order_are_no_crossover() -> None:
    one = RateCurve((0.1, 0.0), (((0.2, 1e8),), ((0.3, 1e8),)))
    other = RateCurve((0.3, 0.0), (((0.2, 1e8),), ((0.1, 1e8),)))
    assert crossovers([MethodLine("a", "fedlr", (one,)), MethodLine("b", "federa", (other,))], 1e6, 1e9) == ()


def test_seeds_are_one_line_their_median() -> None:
    made = line("FeDeRA", (10.0, 0.0), (30.0, 0.0), (20.0, 0.0))
    assert made.seconds(1e6) == 20.0
    assert line("FeDeRA", (10.0, 0.0), None, (20.0, 0.0)).seconds(1e6) == 20.0


def test_a_method_that_half_of_its_seeds_reach_has_no_time() -> None:
    assert line("FeDeRA", (10.0, 0.0), (20.0, 0.0), None).reached
    assert not line("FeDeRA", (10.0, 0.0), None).reached


def test_runs_of_one_method_that_differ_by_their_seed_are_one_line() -> None:
    made = seeds_and_another()
    lines = method_lines(made, goal_of(made.recorded), 0.9)
    assert [(each.label, len(each.curves)) for each in lines] == [("FedLR", 1), ("FeDeRA", 2)]


def test_the_main_fraction_is_the_highest_that_most_reach() -> None:
    (goal,) = by_rate(seeds_and_another(), (1e6, 1e9))
    assert goal.main == 0.95
    assert [len(each) for each in goal.lines.values()] == [2, 2, 2]


def test_where_nobody_reaches_anything_there_is_no_main_fraction() -> None:
    (goal,) = by_rate(study([timed_run(metrics=(0.1, 0.2))]), (1e6, 1e9))
    assert goal.main is None
    assert all(found == () for found in goal.crossovers.values())


def seeds_and_another() -> Study:
    """Two seeds of FeDeRA that reach everything, and a FedLR that misses 99 %."""
    of = timed_runs.experiment()
    runs = [timed_run("fedlr", (0.5, 0.73, 0.77), of=of)]
    return study([*runs, *(timed_run("federa", of=of, seed=seed) for seed in (0, 1))])
