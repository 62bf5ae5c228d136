"""A token bucket over a trace: how long until so many bytes may go. The caller holds the clock."""

from __future__ import annotations

from harness.links.trace import RateTrace

_ROUNDING_BYTES = 1e-3
"""Sums of floats differ in their last bits; nobody waits for a thousandth of a byte."""


class TokenBucket:
    """Bytes come in at the trace's rate from ``start_s`` on and stay, up to ``burst_bytes``.

    The bucket is empty at first, so that n bytes take the time the link takes for them. The burst is what a caller
    that looks a little late can make up for: it must hold the largest number of bytes taken at once.
    """

    def __init__(self, trace: RateTrace, burst_bytes: int, start_s: float) -> None:
        self._trace, self._burst_bytes, self._start_s = trace, burst_bytes, start_s
        self._level_bytes = 0.0
        self._filled_bytes = 0.0

    def wait_s(self, size_bytes: int, now_s: float) -> float:
        """How long until ``size_bytes`` may go; 0: now.

        Raises:
            ValueError: more than the burst, which would never be there.
        """
        if size_bytes > self._burst_bytes:
            raise ValueError(f"{size_bytes} bytes at once do not fit a burst of {self._burst_bytes} bytes")
        self._fill(now_s)
        missing_bytes = size_bytes - self._level_bytes
        if missing_bytes <= _ROUNDING_BYTES:
            return 0.0
        return max(0.0, self._start_s + self._trace.time_for(self._filled_bytes + missing_bytes) - now_s)

    def take(self, size_bytes: int, now_s: float) -> None:
        """These bytes go now; ask :meth:`wait_s` first."""
        self._fill(now_s)
        self._level_bytes -= size_bytes

    def _fill(self, now_s: float) -> None:
        by_now_bytes = self._trace.bytes_by(now_s - self._start_s)
        self._level_bytes = min(self._burst_bytes, self._level_bytes + by_now_bytes - self._filled_bytes)
        self._filled_bytes = by_now_bytes
