"""A link profile as the pace of one transfer.

What is shaped is the payload of chunks, the goodput. ``latency_s`` of the profile is one way; a transfer pays one round
trip (2 x latency_s) before its first byte flows: the request's way and the first byte's for a download, the data's way
and the acknowledgement's for an upload. Later chunks are pipelined and pay nothing.
"""

from __future__ import annotations

from harness.links.bucket import TokenBucket
from harness.links.trace import RateTrace, seed_of
from harness.profiles import LinkProfile, RateProfile
from harness.protocol.messages import MAX_CHUNK_BYTES

MIN_CHUNK_BYTES = 4 * 1024
CHUNK_S = 0.005
BURST_CHUNKS = 8
"""A process that is scheduled up to 40 ms late still keeps the rate; a peak above it is no longer than that."""
CONSTANT_S = 1e9
"""The step of a rate that never changes: longer than any transfer, so that nobody sums thousands of equal steps."""


def trace_of(link: LinkProfile, link_seed: int, round: int, client: int, direction: str) -> RateTrace | None:
    """The trace of one transfer over a link, or None where its rate is not limited. ``direction``: up, down or init."""
    return rate_trace(link.rate(direction), seed_of(link_seed, round, client, direction))


def rate_trace(rate: RateProfile, seed: int) -> RateTrace | None:
    """The trace of a rate, or None where it is not limited."""
    if rate.rate_mbps is not None:
        return RateTrace(rate.rate_mbps * 1e6, rate.rate_mbps * 1e6, CONSTANT_S)
    if rate.rates_mbps:
        recorded_bps = [mbps * 1e6 for mbps in rate.rates_mbps]
        return RateTrace(min(recorded_bps), max(recorded_bps), rate.step_s, seed, recorded_bps)
    if rate.rate_min_mbps is None or rate.rate_max_mbps is None:
        return None
    return RateTrace(rate.rate_min_mbps * 1e6, rate.rate_max_mbps * 1e6, rate.step_s, seed)


def chunk_bytes_at(rate_bps: float) -> int:
    """Chunk size that keeps the pace smooth: 5 ms of the rate, at least 4 KiB, at most a protocol chunk.

    Sleeping after each 1 MiB holds the mean but peaks at 30 times the rate; small chunks do not.
    """
    return min(MAX_CHUNK_BYTES, max(MIN_CHUNK_BYTES, int(rate_bps / 8 * CHUNK_S)))


class Pacer:
    """The pace of one transfer that begins at ``now_s``; without a trace only the latency is waited for."""

    def __init__(self, trace: RateTrace | None, latency_s: float, now_s: float) -> None:
        self.trace = trace
        self._start_s = now_s + 2 * latency_s
        self.chunk_bytes = MAX_CHUNK_BYTES if trace is None else chunk_bytes_at(trace.rate_bps(0.0))
        self._bucket = None if trace is None else TokenBucket(trace, BURST_CHUNKS * self.chunk_bytes, self._start_s)

    def wait_s(self, size_bytes: int, now_s: float) -> float:
        """How long until a chunk of ``size_bytes`` has made its way over the link; 0: now."""
        if self._bucket is None:
            return max(0.0, self._start_s - now_s)
        return self._bucket.wait_s(size_bytes, now_s)

    def take(self, size_bytes: int, now_s: float) -> None:
        """The chunk goes now."""
        if self._bucket is not None:
            self._bucket.take(size_bytes, now_s)

    def allowed_bps(self, now_s: float) -> float | None:
        """The mean rate the profile allowed until now; None: any."""
        return None if self.trace is None else self.trace.mean_bps(now_s - self._start_s)
