import pytest

from harness.links.bucket import TokenBucket
from harness.links.trace import RateTrace

MB_PER_S = RateTrace(8e6, 8e6, 0.5)


def test_an_empty_bucket_makes_the_first_chunk_wait_its_time() -> None:
    bucket = TokenBucket(MB_PER_S, 50_000, start_s=100.0)
    assert bucket.wait_s(10_000, 100.0) == pytest.approx(0.010)
    assert bucket.wait_s(10_000, 100.004) == pytest.approx(0.006)
    assert bucket.wait_s(10_000, 100.010001) == 0.0


def test_nothing_comes_in_before_the_start() -> None:
    assert TokenBucket(MB_PER_S, 50_000, start_s=100.0).wait_s(10_000, 99.0) == pytest.approx(1.010)


def test_a_late_caller_catches_up_within_the_burst_and_no_further() -> None:
    bucket = TokenBucket(MB_PER_S, 50_000, start_s=0.0)
    bucket.wait_s(10_000, 10.0)
    for _ in range(5):
        assert bucket.wait_s(10_000, 10.0) == 0.0
        bucket.take(10_000, 10.0)
    assert bucket.wait_s(10_000, 10.0) == pytest.approx(0.010)


def test_more_than_the_burst_at_once_is_an_error() -> None:
    with pytest.raises(ValueError, match="do not fit a burst"):
        TokenBucket(MB_PER_S, 50_000, start_s=0.0).wait_s(50_001, 1.0)


@pytest.mark.parametrize("late_s", [0.0, 0.0007, 0.02])
def test_a_transfer_takes_what_the_link_takes_however_late_each_step_is(late_s: float) -> None:
    """A fake clock: 5 MB at 20 Mbps take 2 s; lateness is made up for, but for the last step's."""
    trace = RateTrace(20e6, 20e6, 0.5)
    bucket, now_s, left_bytes = TokenBucket(trace, 100_000, start_s=0.0), 0.0, 5_000_000
    while left_bytes > 0:
        wait_s = bucket.wait_s(12_500, now_s)
        if wait_s > 0:
            now_s += wait_s + late_s
            continue
        bucket.take(12_500, now_s)
        left_bytes -= 12_500
    assert 2.0 - 1e-9 <= now_s <= 2.0 + late_s + 1e-6
