"""What a flow in the kernel allowed between two moments."""

from __future__ import annotations

import pytest

from harness.profiles import LinkProfile, RateProfile
from harness.shaping import Applied, flow_seed, mean_bps, needs_kernel
from harness.shaping.allowance import bare, trace_by, trace_sha256

RECORDED = RateProfile(rates_mbps=(10, 20, 30), step_s=0.5)


def applied(rate: RateProfile, seed: int = 3) -> Applied:
    return Applied(interface="eth0", begun_s=100.0, seed=seed, offset=trace_by(rate, seed).offset)


def test_a_constant_rate_allows_itself() -> None:
    rate = RateProfile(rate_mbps=25)
    assert mean_bps(applied(rate), rate, 103.2, 104.9) == pytest.approx(25e6)


def test_a_trace_is_averaged_over_the_time_that_was_asked_for() -> None:
    kept = applied(RECORDED)
    rates = [RECORDED.rates_mbps[(kept.offset + step) % 3] * 1e6 for step in range(4)]
    assert mean_bps(kept, RECORDED, 100.0, 100.5) == pytest.approx(rates[0])
    assert mean_bps(kept, RECORDED, 100.25, 101.0) == pytest.approx((rates[0] * 0.25 + rates[1] * 0.5) / 0.75)
    assert mean_bps(kept, RECORDED, 101.0, 102.0) == pytest.approx((rates[2] + rates[3]) / 2)


def test_a_moment_has_the_rate_of_its_step() -> None:
    kept = applied(RECORDED)
    assert mean_bps(kept, RECORDED, 100.6, 100.6) == RECORDED.rates_mbps[(kept.offset + 1) % 3] * 1e6


def test_a_link_is_as_good_as_its_rate() -> None:
    link = LinkProfile(name="wifi", rate_min_mbps=20, rate_max_mbps=30, step_s=0.2, shaping="kernel")
    assert needs_kernel(link)
    assert bare(link) == RateProfile(rate_min_mbps=20, rate_max_mbps=30, step_s=0.2)
    assert trace_sha256(link) == trace_sha256(bare(link)) != trace_sha256(RECORDED)
    assert trace_sha256(RateProfile(rate_mbps=1)) is None
    kept = applied(bare(link))
    assert mean_bps(kept, link, 100.0, 101.0) == mean_bps(kept, bare(link), 100.0, 101.0)


def test_each_way_of_each_agent_has_a_seed_of_its_own() -> None:
    seeds = {flow_seed(1, agent, way) for agent in ("orin-01", "orin-02") for way in ("up", "down")}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**63 for seed in seeds)
