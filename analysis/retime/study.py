"""Recorded runs under other conditions: another link, another device, other bytes; pure.

Accuracy by round depends on none of them, so the curves stay and only their time axis changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis import units
from analysis.load import Run
from harness.errors import StoreError
from harness.profiles import DeviceProfile, LinkProfile, RateProfile
from harness.retiming import Conditions, retimed

WIRES = {"float16": 0.5, "bfloat16": 0.5, "int8": 0.25, "int4": 0.125}
"""What a payload of these numbers has of the bytes of float32, as which all states travel."""


@dataclass(frozen=True)
class Study:
    """Runs in their order, and the same runs retimed; ``wire`` names the numbers that travel (None: as recorded)."""

    recorded: tuple[Run, ...]
    retimed: tuple[Run, ...]
    conditions: Conditions
    wire: str | None = None

    @property
    def words(self) -> str:
        """The conditions in words: "over lte-5 on orin-nano as float16"."""
        link, device = self.conditions.link, self.conditions.device
        parts = [f"over {link.name}"] if link else []
        parts += [f"on {device.name}"] if device else []
        parts += [f"as {self.wire}"] if self.wire else []
        return " ".join(parts) or "as recorded"

    def link(self, run: Run) -> LinkProfile:
        """The link that a run is retimed over: its own where no other is given."""
        return self.conditions.link or run.experiment.link


def study(
    runs: Sequence[Run],
    link: LinkProfile | None = None,
    device: DeviceProfile | None = None,
    wire: str | None = None,
) -> Study:
    """Retime these runs; what is None stays as it was recorded. ``wire`` is a name in ``WIRES``.

    Raises:
        ProfileError: a table of seconds has no entry for what a run was timed as.
        StoreError: a run lacks the record of a client.
    """
    conditions = Conditions(link=link, device=device, payload_factor=WIRES[wire] if wire else 1.0)
    return Study(tuple(runs), tuple(retimed_run(run, conditions) for run in runs), conditions, wire)


def retimed_run(run: Run, conditions: Conditions) -> Run:
    """A run as it would have been under ``conditions``; its profile stays the recorded one.

    Raises:
        ProfileError: a table of seconds has no entry for what the run was timed as.
        StoreError: a round lacks the record of a client that completed it.
    """
    try:
        header, rounds, clients = retimed(run.experiment, run.header, run.rounds, run.clients, conditions)
    except StoreError as error:
        raise StoreError(f"{run.path}: {error}") from None
    return replace(run, header=header, rounds=rounds, clients=clients)


def rate_bounds_bps(link: LinkProfile) -> tuple[float, float] | None:
    """The lowest and the highest rate of a link; None where it has none, or others up than down."""
    if link.up is not None and _bounds_bps(link.up) != _bounds_bps(link):
        return None
    return _bounds_bps(link)


def link_words(link: LinkProfile) -> str:
    """A link with its rates and latency: "lte-5 (5 Mbit/s, latency 40 ms)"."""
    if link.transfers:
        return f"{link.name} (a table of seconds)"
    parts = [f"{_rate_words(link)}{' down' if link.up else ''}"]
    parts += [f"{_rate_words(link.up)} up"] if link.up else []
    parts += [f"latency {link.latency_s * 1000:g} ms"] if link.latency_s else []
    parts += [f"{link.overhead_s:g} s a transfer"] if link.overhead_s else []
    return f"{link.name} ({', '.join(parts)})"


def device_words(device: DeviceProfile) -> str:
    """A device with where its seconds are from: "orin-nano (3 times slower than table8)"."""
    parts = ["a table of seconds"] if device.seconds else []
    parts += [f"{device.slowdown:g} times slower than {device.slower_than}"] if device.slower_than else []
    return f"{device.name} ({', '.join(parts)})" if parts else device.name


def _bounds_bps(rate: RateProfile) -> tuple[float, float] | None:
    rates = [mbps * 1e6 for mbps in (rate.rate_mbps, rate.rate_min_mbps, rate.rate_max_mbps, *rate.rates_mbps) if mbps]
    return (min(rates), max(rates)) if rates else None


def _rate_words(rate: RateProfile) -> str:
    bounds_bps = _bounds_bps(rate)
    if bounds_bps is None:
        return "no rate"
    low, high = (f"{bps / units.MBITS.divisor:g}" for bps in bounds_bps)
    return f"{low if low == high else f'{low} to {high}'} {units.MBITS.symbol}"
