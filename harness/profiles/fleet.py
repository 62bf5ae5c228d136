"""Profiles of what the work runs on: a device, a link, the agents."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from harness.profiles.base import Count, Method, Name, NonNegative, Profile, Rate, Seconds


class TrainSeconds(Profile, frozen=True, kw_only=True):
    """What one local training takes on a device: an entry of its table, for the given model, data set and method.

    A key that is left out fits any. ``train_s`` is a whole local training, or ``step_s`` one optimiser step of it.
    """

    model: Name | None = None
    dataset: Name | None = None
    method: Method | None = None
    train_s: NonNegative | None = None
    step_s: NonNegative | None = None
    load_s: NonNegative = 0.0
    serialise_s: NonNegative = 0.0
    other_s: NonNegative = 0.0

    def __post_init__(self) -> None:
        if (self.train_s is None) == (self.step_s is None):
            raise ValueError("an entry of seconds has either train_s or step_s")


class ServerSeconds(Profile, frozen=True, kw_only=True):
    """What the server takes, where a table says so; without a value the seconds it takes here count."""

    svd_s: NonNegative | None = None
    aggregate_s: NonNegative | None = None


class DeviceProfile(Profile, frozen=True, kw_only=True):
    """What trains: ``threads`` processor threads for each trainer; the rest is for virtual clocks alone.

    ``seconds`` is a table of what was measured on the device; the first entry that fits counts, and without a table
    the seconds that training took where it ran. They are multiplied by ``slowdown``: how many times slower than
    ``slower_than`` the device is, where it was not measured itself.
    """

    name: Name
    threads: Count = 1
    seconds: tuple[TrainSeconds, ...] = ()
    server: ServerSeconds = ServerSeconds()
    slowdown: Rate = 1.0
    slower_than: Name | None = None

    def __post_init__(self) -> None:
        if (self.slowdown != 1) != (self.slower_than is not None):
            raise ValueError("slowdown needs slower_than, the device that it compares with, and the other way round")


class RateProfile(Profile, frozen=True, kw_only=True):
    """The rate of one direction of a link. 1 Mbps = 1e6 bit/s.

    ``rate_mbps`` is a constant rate; with ``rate_min_mbps`` and ``rate_max_mbps`` a seeded trace draws a new rate
    every ``step_s``; ``rates_mbps`` is a recorded trace, one rate every ``step_s``, again from its start when it ends.
    None of them: the link is not shaped.
    """

    rate_mbps: Rate | None = None
    rate_min_mbps: Rate | None = None
    rate_max_mbps: Rate | None = None
    rates_mbps: tuple[Rate, ...] = ()
    step_s: Seconds = 0.5

    def __post_init__(self) -> None:
        bounds = (self.rate_min_mbps, self.rate_max_mbps)
        if (bounds[0] is None) != (bounds[1] is None):
            raise ValueError("rate_min_mbps and rate_max_mbps are given together or not at all")
        if (self.rate_mbps is not None) + (bounds[0] is not None) + bool(self.rates_mbps) > 1:
            raise ValueError("give one of rate_mbps, rate_min_mbps with rate_max_mbps, and rates_mbps")
        if bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
            raise ValueError(f"rate_min_mbps {bounds[0]:g} is above rate_max_mbps {bounds[1]:g}")

    @property
    def shaped(self) -> bool:
        """Whether the rate is limited."""
        return self.rate_mbps is not None or self.rate_min_mbps is not None or bool(self.rates_mbps)


class TransferSeconds(Profile, frozen=True, kw_only=True):
    """What one transfer, one way, of a method's update took: an entry of a link's table. A rank left out fits any."""

    model: Name
    method: Method
    rank: Count | None = None
    transfer_s: NonNegative


class LinkProfile(RateProfile, frozen=True, kw_only=True):
    """A link, the same in both directions unless ``up`` says otherwise.

    ``shaping`` is how its rate is kept on real agents: "user", by the pace at which agent and controller send chunks;
    or "kernel", by a tc class of the network interface at each end, for which both need the privileged helper.

    ``latency_s`` is one way. ``overhead_s`` is what a transfer takes beyond latency and rate; it is for virtual clocks
    alone, since real transfers have their own. ``transfers`` is a table of measured seconds, in place of any rate: a
    virtual clock looks them up.
    """

    name: Name
    latency_s: NonNegative = 0.0
    overhead_s: NonNegative = 0.0
    up: RateProfile | None = None
    transfers: tuple[TransferSeconds, ...] = ()
    shaping: Literal["user", "kernel"] = "user"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.transfers and (self.shaped or self.up is not None or self.latency_s or self.overhead_s):
            raise ValueError("transfers stands alone: a link has a table of seconds, or rates and latency")
        if self.shaping == "kernel" and not (self.shaped or self.rate("up").shaped):
            raise ValueError("shaping 'kernel' needs a rate to keep; without one leave shaping out")

    def rate(self, direction: str) -> RateProfile:
        """The rate of a direction: that of ``up`` for uploads, where it is given."""
        return self.up if direction == "up" and self.up is not None else self


class AgentsProfile(Profile, frozen=True, kw_only=True):
    """The agents: how many are started or awaited, for how long, and when one counts as lost."""

    count: Count = 2
    join_timeout_s: Seconds = 120.0
    heartbeat_s: Seconds = 0.5
    lost_after_s: Seconds = 8.0

    def __post_init__(self) -> None:
        if self.lost_after_s <= self.heartbeat_s:
            raise ValueError("lost_after_s must be longer than heartbeat_s: else agents are lost between heartbeats")


class SimulationProfile(Profile, frozen=True, kw_only=True):
    """How the clients of a virtual fleet are trained; no seconds of theirs depend on it where a device has a table.

    ``processes`` train side by side, ``device.threads`` each; by default as many as the machine has cores for, or one
    where the seconds that training takes here are what counts. They change no bit of what is learned.

    ``fused_clients`` at most are trained as one batch by a process, where a method trains low-rank factors: the frozen
    weights are read once for all of them. What is learned is then equal to training one by one but for rounding.
    """

    processes: Count | None = None
    fused_clients: Count = 1


class RecordProfile(Profile, frozen=True, kw_only=True):
    """What is recorded beyond the usual.

    ``drift``: how far the global A and B move each round (FeDeRA, eq. 19-22). ``telemetry_hz``: how often a second the
    sensors of agents' devices are read; 0: not at all.
    """

    drift: bool = False
    telemetry_hz: Annotated[float, Meta(ge=0, le=50)] = 10.0


class Setting(msgspec.Struct, frozen=True):
    """What tables of seconds are looked up by: the names of model and data set that a run is timed as, its method."""

    model: str
    dataset: str
    method: str
    rank: int
