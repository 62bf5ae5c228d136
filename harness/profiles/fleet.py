"""Profiles of what the work runs on: a device, a link, the agents."""

from __future__ import annotations

from harness.profiles.base import Count, Name, NonNegative, Profile, Rate, Seconds


class DeviceProfile(Profile, frozen=True, kw_only=True):
    """What trains: ``threads`` processor threads for each trainer; ``slowdown`` is left to later device models."""

    name: Name
    threads: Count = 1


class LinkProfile(Profile, frozen=True, kw_only=True):
    """A link, the same in both directions unless said otherwise.

    ``rate_mbps`` is a constant rate; with ``rate_min_mbps`` and ``rate_max_mbps`` a seeded trace draws a new rate
    every ``step_s``. None of them: the link is not shaped. ``latency_s`` is one way. 1 Mbps = 1e6 bit/s.
    """

    name: Name
    rate_mbps: Rate | None = None
    rate_min_mbps: Rate | None = None
    rate_max_mbps: Rate | None = None
    step_s: Seconds = 0.5
    latency_s: NonNegative = 0.0

    def __post_init__(self) -> None:
        bounds = (self.rate_min_mbps, self.rate_max_mbps)
        if (bounds[0] is None) != (bounds[1] is None):
            raise ValueError("rate_min_mbps and rate_max_mbps are given together or not at all")
        if self.rate_mbps is not None and bounds[0] is not None:
            raise ValueError("give rate_mbps or rate_min_mbps with rate_max_mbps, not both")
        if bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
            raise ValueError(f"rate_min_mbps {bounds[0]:g} is above rate_max_mbps {bounds[1]:g}")


class AgentsProfile(Profile, frozen=True, kw_only=True):
    """The agents: how many are started or awaited, for how long, and when one counts as lost."""

    count: Count = 2
    join_timeout_s: Seconds = 120.0
    heartbeat_s: Seconds = 0.5
    lost_after_s: Seconds = 8.0
