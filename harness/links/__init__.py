"""Link models: how many bytes a link lets through by when, as a trace of rates, and a token bucket to pace by. Pure."""

from __future__ import annotations

from harness.links.bucket import TokenBucket
from harness.links.seconds import Moved, achieved_bps, transfer
from harness.links.shape import Pacer, chunk_bytes_at, trace_of
from harness.links.trace import RateTrace

__all__ = ["Moved", "Pacer", "RateTrace", "TokenBucket", "achieved_bps", "chunk_bytes_at", "trace_of", "transfer"]
