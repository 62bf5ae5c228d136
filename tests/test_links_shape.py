import pytest

from harness.links.shape import Pacer, chunk_bytes_at, trace_of
from harness.profiles import LinkProfile

RANGE = LinkProfile(name="range", rate_min_mbps=20.0, rate_max_mbps=30.0)


@pytest.mark.parametrize(("rate_bps", "chunk_bytes"), [(1e6, 4096), (20e6, 12_500), (10e9, 262_144)])
def test_a_chunk_is_five_milliseconds_of_the_rate_within_bounds(rate_bps: float, chunk_bytes: int) -> None:
    assert chunk_bytes_at(rate_bps) == chunk_bytes


def test_a_link_without_a_rate_has_no_trace() -> None:
    assert trace_of(LinkProfile(name="free"), 0, 1, 2, "up") is None


def test_a_constant_link_is_the_same_for_all() -> None:
    trace = trace_of(LinkProfile(name="25", rate_mbps=25.0), 0, 1, 2, "up")
    assert trace.time_for(25e6 / 8) == pytest.approx(1.0)


def test_the_two_directions_of_a_varying_link_differ_and_repeat() -> None:
    up, down = trace_of(RANGE, 0, 1, 2, "up"), trace_of(RANGE, 0, 1, 2, "down")
    assert up.rate_bps(0) != down.rate_bps(0)
    assert up.rate_bps(0) == trace_of(RANGE, 0, 1, 2, "up").rate_bps(0)


def test_a_transfer_pays_one_round_trip_before_its_first_byte() -> None:
    trace = trace_of(LinkProfile(name="20", rate_mbps=20.0), 0, 1, 2, "up")
    pacer = Pacer(trace, latency_s=0.1, now_s=50.0)
    assert pacer.wait_s(pacer.chunk_bytes, 50.0) == pytest.approx(0.2 + 0.005)
    assert pacer.allowed_bps(50.7) == pytest.approx(20e6)


def test_without_a_rate_only_the_latency_is_waited_for() -> None:
    pacer = Pacer(None, latency_s=0.1, now_s=50.0)
    assert pacer.wait_s(262_144, 50.0) == pytest.approx(0.2)
    assert pacer.wait_s(262_144, 50.3) == 0.0
    assert pacer.allowed_bps(51.0) is None
