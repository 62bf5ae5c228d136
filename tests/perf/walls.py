"""Where one controller's walls stand, from what an agent costs it; and what a layer of controllers between changes.

Pure sums. Sizes are decimal: 1 MB is 1,000,000 bytes.
"""

from __future__ import annotations

import math

import msgspec

from harness.transport.server import DESCRIPTORS

NO_SHELL = "benchmark c is not measured with states of this size; run `make perf ONLY=c` first"


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one size of fleet: medians over the repetitions, see :mod:`perf.scale_probe`."""

    agents: int
    rounds: int
    events: int
    updates: int
    handle_s: float
    longest_s: float
    events_bytes: int
    round_s: float
    read_s: float
    replay_s: float
    rewrite_s: float
    recover_peak_bytes: float
    machine_bytes: float
    round_bytes: float

    @property
    def recover_s(self) -> float:
        """From the events on disk to a machine that goes on."""
        return self.read_s + self.replay_s + self.rewrite_s


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What one controller has, and what its user bears.

    ``descriptors`` is what the controller raises its own soft limit to; ``aggregation_share`` is how much of a round it
    may take before devices wait noticeably, ``recover_s`` how long a resume may.
    """

    round_s: float = 60.0
    rounds: int = 1000
    link_bps: float = 1e9
    disk_bytes_per_s: float = 5e8
    disk_bytes: float = 1e11
    memory_bytes: float = 1.6e10
    descriptors: int = DESCRIPTORS
    own_descriptors: int = 64
    descriptors_each: int = 2
    aggregation_share: float = 0.1
    recover_s: float = 60.0


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What one client of one round costs. None: the benchmark that tells it (its letter in docs/performance.md) has not
    been measured. ``shell_s``: of a processor for sockets, hashes, files, the machine, its events and the aggregation,
    with states of ``state_bytes`` (c); ``aggregate_bytes_per_s``: updates into a mean (d)."""

    state_bytes: int
    shell_s: float | None
    aggregate_bytes_per_s: float | None
    event_bytes: float
    recover_s: float
    recover_bytes: float


class Wall(msgspec.Struct, frozen=True, kw_only=True):
    """One wall: the ``sum`` that leads to it, and at how many ``agents`` it stands; None: its cost is not measured."""

    name: str
    sum: str
    agents: float | None
    grows: bool = False
    """Whether it comes nearer with each round of a run."""


def costs_of(fleet: Fleet, state_bytes: int, shell_s: float | None, aggregate_bytes_per_s: float | None) -> Costs:
    """The costs of a client, by the largest fleet that was measured."""
    return Costs(
        state_bytes=state_bytes,
        shell_s=shell_s,
        aggregate_bytes_per_s=aggregate_bytes_per_s,
        event_bytes=fleet.events_bytes / fleet.updates,
        recover_s=fleet.recover_s / fleet.updates,
        recover_bytes=fleet.recover_peak_bytes / fleet.updates,
    )


def walls(costs: Costs, means: Means) -> list[Wall]:
    """The walls of one controller, the nearest first; those that nobody measured last."""
    state, long_s = costs.state_bytes, means.round_s
    total = f"{count(means.rounds)} rounds"
    found = [
        _wall(
            f"network of {means.link_bps / 1e9:g} Gbit/s, each way",
            long_s * means.link_bps / (8 * state),
            f"{long_s:g} s x {means.link_bps / 8e6:g} MB/s / {mb(state)}",
        ),
        _shell(costs, means),
        _aggregation(costs, means),
        _wall(
            "file descriptors",
            (means.descriptors - means.own_descriptors) / means.descriptors_each,
            f"({means.descriptors} - {means.own_descriptors}) / {means.descriptors_each} connections an agent",
        ),
        _wall(
            "writing updates to disk",
            long_s * means.disk_bytes_per_s / state,
            f"{long_s:g} s x {means.disk_bytes_per_s / 1e6:g} MB/s / {mb(state)}",
        ),
        _wall("disk for the open round's updates", means.disk_bytes / state, f"{gb(means.disk_bytes)} / {mb(state)}"),
        _wall(
            f"disk for the events of {total}",
            means.disk_bytes / (means.rounds * costs.event_bytes),
            f"{gb(means.disk_bytes)} / ({total} x {costs.event_bytes:,.0f} B an update)",
            grows=True,
        ),
        _wall(
            f"a resume after {total} in {means.recover_s:g} s",
            means.recover_s / (means.rounds * costs.recover_s),
            f"{means.recover_s:g} s / ({total} x {costs.recover_s * 1e6:.0f} us an update)",
            grows=True,
        ),
        _wall(
            f"memory of a resume after {total}",
            means.memory_bytes / (means.rounds * costs.recover_bytes),
            f"{gb(means.memory_bytes)} / ({total} x {costs.recover_bytes:,.0f} B an update)",
            grows=True,
        ),
    ]
    return sorted(found, key=lambda wall: math.inf if wall.agents is None else wall.agents)


def _shell(costs: Costs, means: Means) -> Wall:
    """The processor, if it were one core: benchmark c has all threads in its figure, so nothing is added to it."""
    name = "one core for all threads of the controller, aggregation included"
    if costs.shell_s is None:
        return Wall(name=name, sum=NO_SHELL, agents=None)
    return _wall(name, means.round_s / costs.shell_s, f"{means.round_s:g} s / {costs.shell_s * 1e3:.2f} ms a client")


def _aggregation(costs: Costs, means: Means) -> Wall:
    name = f"aggregation in {means.aggregation_share:.0%} of a round"
    if costs.aggregate_bytes_per_s is None:
        return Wall(name=name, sum="benchmark d is not measured", agents=None)
    seconds = means.aggregation_share * means.round_s
    words = f"{seconds:g} s x {costs.aggregate_bytes_per_s / 1e6:,.0f} MB/s / {mb(costs.state_bytes)}"
    return _wall(name, seconds * costs.aggregate_bytes_per_s / costs.state_bytes, words)


def _wall(name: str, agents: float, words: str, *, grows: bool = False) -> Wall:
    return Wall(name=name, sum=words, agents=agents, grows=grows)


def count(value: float) -> str:
    """A number of things, in words of a table."""
    return f"{value:,.0f}"


def mb(size_bytes: float) -> str:
    """Bytes as megabytes."""
    return f"{size_bytes / 1e6:,.2f} MB" if size_bytes < 1e8 else f"{size_bytes / 1e6:,.0f} MB"


def gb(size_bytes: float) -> str:
    """Bytes as gigabytes."""
    return f"{size_bytes / 1e9:g} GB"
