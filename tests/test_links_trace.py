import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.links.trace import RateTrace, seed_of


def test_a_constant_link_takes_bits_over_rate() -> None:
    trace = RateTrace(20e6, 20e6, 0.5)
    assert trace.time_for(5_000_000) == pytest.approx(2.0)
    assert trace.bytes_by(0.1) == pytest.approx(250_000)
    assert trace.mean_bps(3.3) == pytest.approx(20e6)


def test_nothing_goes_through_before_the_beginning() -> None:
    assert RateTrace(20e6, 20e6, 0.5).bytes_by(-1.0) == 0.0


def test_a_varying_link_stays_within_its_bounds_and_varies() -> None:
    trace = RateTrace(20e6, 30e6, 0.5, seed=1)
    rates = [trace.rate_bps(0.5 * step + 0.1) for step in range(100)]
    assert all(20e6 <= rate <= 30e6 for rate in rates)
    assert max(rates) - min(rates) > 5e6
    assert trace.mean_bps(50.0) == pytest.approx(sum(rates) / 100)


def test_one_seed_makes_one_trace() -> None:
    one, two = RateTrace(20e6, 30e6, 0.5, seed=4), RateTrace(20e6, 30e6, 0.5, seed=4)
    assert one.time_for(9e7) == two.time_for(9e7)
    assert one.rate_bps(3.0) == two.rate_bps(3.0)


def test_each_transfer_has_a_seed_of_its_own() -> None:
    seeds = {seed_of(0, round, client, way) for round in (1, 2) for client in (1, 2) for way in ("up", "down")}
    assert len(seeds) == 8
    assert seed_of(0, 1, 2, "up") == seed_of(0, 1, 2, "up")


@given(st.floats(1.0, 1e9), st.integers(0, 9))
def test_time_and_bytes_are_inverse(size_bytes: float, seed: int) -> None:
    trace = RateTrace(20e6, 30e6, 0.5, seed)
    assert trace.bytes_by(trace.time_for(size_bytes)) == pytest.approx(size_bytes)
