"""What a flow in the kernel allows, by its rate and the moment it began. Pure."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import msgspec

from harness.links.shape import rate_trace
from harness.links.trace import RateTrace
from harness.profiles import LinkProfile, RateProfile
from harness.shaping.words import Applied


def needs_kernel(link: LinkProfile) -> bool:
    """Whether agents and controller need the privileged helper to keep this link."""
    return link.shaping == "kernel"


def flow_seed(link_seed: int, agent: str, direction: str) -> int:
    """The seed of the trace between the controller and an agent, by its name; ``direction``: up, down.

    In user space each transfer has a trace of its own; in the kernel the link goes on, whoever uses it.
    """
    digest = hashlib.sha256(f"{link_seed}/{agent}/{direction}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def bare(rate: RateProfile) -> RateProfile:
    """The rate alone of what may be a whole link."""
    return RateProfile(**{name: getattr(rate, name) for name in RateProfile.__struct_fields__})


def trace_sha256(rate: RateProfile) -> str | None:
    """The hash of the trace that a rate describes, of its rates and step as JSON; None of a constant rate."""
    if rate.rate_mbps is not None:
        return None
    return hashlib.sha256(msgspec.json.encode(bare(rate))).hexdigest()


def trace_of(rate: RateProfile, seed: int) -> RateTrace:
    """The rates over time: the same for helper, agent and controller."""
    trace = rate_trace(rate, seed)
    if trace is None:
        raise ValueError("the rate is not limited")
    return trace


trace_by = lru_cache(maxsize=256)(trace_of)
"""The same, drawn once for all in this process who ask."""


def mean_bps(applied: Applied, rate: RateProfile, from_s: float, until_s: float) -> float:
    """What the flow allowed on average between two moments of CLOCK_MONOTONIC, payload in bit/s."""
    trace = trace_by(bare(rate), applied.seed)
    begin_s, end_s = from_s - applied.begun_s, until_s - applied.begun_s
    if end_s <= begin_s:
        return trace.rate_bps(begin_s)
    return (trace.bytes_by(end_s) - trace.bytes_by(begin_s)) * 8 / (end_s - begin_s)
