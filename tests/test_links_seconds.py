"""Seconds of a transfer: overhead, a round trip and the trace, or the table's."""

from __future__ import annotations

import pytest

from harness.errors import ProfileError
from harness.links import Moved, transfer
from harness.profiles import LinkProfile, Method, RateProfile, Setting, TransferSeconds

SETTING = Setting("roberta-base", "squad", "federa", 32)
MEGABYTE = 1_000_000


def moved(link: LinkProfile, direction: str = "down", size_bytes: float = MEGABYTE, of: Setting = SETTING) -> Moved:
    return transfer(link, of, 0, 1, 0, direction, size_bytes)


def test_by_rate_it_takes_overhead_a_round_trip_and_the_bytes() -> None:
    found = moved(LinkProfile(name="l", rate_mbps=8.0, latency_s=0.125, overhead_s=0.5))
    assert found == (pytest.approx(0.5 + 2 * 0.125 + 1.0), pytest.approx(8e6))


def test_of_a_link_without_a_rate_overhead_and_the_round_trip_remain() -> None:
    assert moved(LinkProfile(name="l", latency_s=0.125, overhead_s=0.5)) == Moved(0.75, None)


def test_an_upload_has_a_rate_of_its_own_and_the_first_shipping_is_a_download() -> None:
    link = LinkProfile(name="l", rate_mbps=8.0, latency_s=0.125, up=RateProfile(rate_mbps=2.0))
    assert (moved(link, "up").seconds, moved(link, "up").link_bps) == (pytest.approx(4.25), pytest.approx(2e6))
    assert moved(link, "down").seconds == moved(link, "init").seconds == pytest.approx(1.25)
    assert moved(LinkProfile(name="l", rate_mbps=8.0, up=RateProfile()), "up") == Moved(0.0, None)


def test_the_rate_that_was_allowed_is_that_of_the_bytes_time_alone() -> None:
    found = moved(LinkProfile(name="l", rates_mbps=(8.0, 2.0), step_s=0.5, latency_s=3.0))
    assert found.link_bps == pytest.approx(8 * MEGABYTE / (found.seconds - 6.0))


@pytest.mark.parametrize(("method", "rank", "seconds"), [("federa", 32, 1.5), ("federa", 64, 3.0), ("fedft", 7, 100.0)])
def test_a_table_is_looked_up_by_model_method_and_rank_whatever_the_bytes(
    method: Method, rank: int, seconds: float
) -> None:
    table = LinkProfile(
        name="table",
        transfers=(
            TransferSeconds(model="bert-base", method="federa", transfer_s=9.0),
            TransferSeconds(model="roberta-base", method="federa", rank=32, transfer_s=1.5),
            TransferSeconds(model="roberta-base", method="federa", rank=64, transfer_s=3.0),
            TransferSeconds(model="roberta-base", method="fedft", transfer_s=100.0),
        ),
    )
    setting = Setting("roberta-base", "squad", method, rank)
    for size_bytes in (1, MEGABYTE):
        assert moved(table, "up", size_bytes, setting) == Moved(seconds, None)
    assert moved(table, "init", MEGABYTE, setting) == Moved(0.0, None)
    with pytest.raises(
        ProfileError, match="no seconds for federa of rank 8 on model 'roberta-base', only for: bert-base"
    ):
        moved(table, "up", MEGABYTE, Setting("roberta-base", "squad", "federa", 8))
