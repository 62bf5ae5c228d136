"""The link of a run: what transfers took beyond its rate, or the rates that they achieved."""

from __future__ import annotations

import random
from statistics import median

import msgspec
import pytest
from measured_runs import DOWN_OVERHEAD_S, UNSHAPED, UP_OVERHEAD_S, WIFI, experiment, run

from harness.links import transfer
from harness.measuring import Recorded, measured_link
from harness.profiles import LinkProfile, RateProfile

RECORDED = LinkProfile(name="drive", rates_mbps=(5.0, 50.0, 20.0), step_s=0.1, latency_s=0.01)
CONSTANT = LinkProfile(name="lte", rate_mbps=5.0, latency_s=0.04)
ONE_WAY = LinkProfile(name="one-way", rate_mbps=10.0, up=RateProfile())


@pytest.mark.parametrize("link", [WIFI, RECORDED, CONSTANT])
def test_a_shaped_link_keeps_its_rates_and_gains_what_transfers_took_beyond(link: LinkProfile) -> None:
    measured = measured_link([run(experiment(link=link))])
    assert measured.overhead_s == pytest.approx((DOWN_OVERHEAD_S + UP_OVERHEAD_S) / 2)
    assert measured.name == f"measured-{link.name}"
    assert msgspec.structs.replace(measured, name=link.name, overhead_s=0.0) == link


def test_a_transfer_is_replayed_under_the_trace_it_had() -> None:
    of = experiment()
    measured, (first, *_) = measured_link([run(of)]), run(of).clients
    again = transfer(measured, of.setting("federa"), of.seeds.link, 1, 0, "down", first.download_bytes)
    assert again.seconds == pytest.approx(first.download_s, abs=DOWN_OVERHEAD_S)


def test_an_overhead_of_the_profile_is_no_part_of_what_a_real_transfer_took() -> None:
    real = run(experiment(link=WIFI))
    told = real._replace(experiment=experiment(link=msgspec.structs.replace(WIFI, overhead_s=5.0)))
    assert measured_link([told]) == measured_link([real])


def test_a_transfer_quicker_than_its_link_has_no_overhead_below_zero() -> None:
    quick = [msgspec.structs.replace(r, download_s=0.001, upload_s=0.001) for r in run().clients]
    assert measured_link([run(updates=quick)]).overhead_s == 0.0


def achieved(of: Recorded, down_mbps: float, up_mbps: float, constant_s: float, spread: float = 0.0) -> Recorded:
    """The run as a real network would have carried it: each transfer at a rate of its own."""
    chance = random.Random(7)

    def seconds(size_bytes: int, mbps: float) -> float:
        return constant_s + size_bytes * 8 / 1e6 / (mbps * (1 + spread * (chance.random() - 0.5)))

    moved = tuple(
        msgspec.structs.replace(
            record,
            download_s=seconds(record.download_bytes, down_mbps),
            upload_s=seconds(record.upload_bytes, up_mbps),
        )
        for record in of.clients
    )
    return of._replace(clients=moved)


def test_over_a_real_network_the_rates_are_those_achieved_each_way() -> None:
    network = experiment(link=msgspec.structs.replace(UNSHAPED, latency_s=0.01))
    measured = measured_link([achieved(run(network, rounds=10), 40.0, 20.0, 0.02, spread=0.5)])
    assert measured.latency_s == 0.01
    assert measured.overhead_s == 0.0
    assert median(measured.rates_mbps) == pytest.approx(40, rel=0.1)
    assert measured.up is not None
    assert median(measured.up.rates_mbps) == pytest.approx(20, rel=0.1)
    assert 30 <= min(measured.rates_mbps) <= 33
    assert 47 <= max(measured.rates_mbps) <= 50


def test_each_replayed_transfer_draws_one_of_the_rates() -> None:
    of = experiment(link=UNSHAPED)
    real = achieved(run(of, rounds=40), 4.0, 4.0, 0.0, spread=0.5)
    measured = measured_link([real])
    drawn = [transfer(measured, of.setting("federa"), 0, r, c, "down", 1e6) for r in range(300) for c in range(3)]
    assert len(measured.rates_mbps) == 20
    assert measured.step_s > max(one.seconds for one in drawn)
    mbps = [8 / one.seconds for one in drawn]
    assert all(min(abs(rate - known) for known in measured.rates_mbps) < 1e-6 for rate in mbps)
    assert median(one.seconds for one in drawn) == pytest.approx(
        median(record.download_s for record in real.clients), rel=0.05
    )


def test_latency_and_rate_are_told_apart_by_payloads_of_different_sizes() -> None:
    network = experiment(link=UNSHAPED)
    runs = [
        achieved(run(network, method=method, size_bytes=size), 40.0, 25.0, 0.06)
        for method, size in (("fedbf", 50_000), ("federa", 400_000), ("fedft", 20_000_000))
    ]
    measured = measured_link(runs)
    assert measured.latency_s == pytest.approx(0.03, rel=1e-4)
    assert measured.rates_mbps == pytest.approx([40.0] * len(measured.rates_mbps), rel=1e-3)
    assert measured.up is not None
    assert measured.up.rates_mbps == pytest.approx([25.0] * len(measured.up.rates_mbps), rel=1e-3)


def test_sizes_too_much_alike_tell_no_latency() -> None:
    network = experiment(link=UNSHAPED)
    runs = [achieved(run(network, method=m, size_bytes=s), 40, 40, 0.06) for m, s in (("fedbf", 500), ("fedlr", 600))]
    assert measured_link(runs).latency_s == 0.0


def test_small_payloads_that_took_longer_than_large_ones_give_no_latency_above_any_transfer() -> None:
    network = experiment(link=UNSHAPED)
    slow = achieved(run(network, method="fedbf", size_bytes=1000), 40, 40, 0.5)
    quick = achieved(run(network, method="fedft", size_bytes=100_000), 40, 40, 0.0)
    measured = measured_link([slow, quick])
    assert measured.latency_s <= 0.01
    assert min(measured.rates_mbps) > 0


def test_a_link_shaped_one_way_is_measured_each_way_as_it_was() -> None:
    measured = measured_link([achieved(run(experiment(link=ONE_WAY)), 9.9, 80.0, 0.0)])
    assert measured.rate_mbps == 10.0
    assert not measured.rates_mbps
    assert measured.overhead_s == pytest.approx(8 / 9.9 - 8 / 10, rel=1e-4)
    assert measured.up is not None
    assert measured.up.rates_mbps[0] == pytest.approx(80.0, rel=0.2)
