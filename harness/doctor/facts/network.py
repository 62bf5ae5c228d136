"""Of wires, radio, the way to the controller and its shaping. Pure data; null is "could not be told"."""

from __future__ import annotations

from harness.doctor.facts.base import Fact


class Reach(Fact, frozen=True, kw_only=True):
    """Round trips of TCP connections to the controller in seconds, or why there are none; by which interface."""

    address: str
    round_trips_s: tuple[float, ...] = ()
    listens: bool = False
    problem: str | None = None
    interface: str | None = None


class Wire(Fact, frozen=True, kw_only=True):
    """A wired interface: whether it is up, its rate and whether it can send and receive at once."""

    name: str
    up: bool
    rate_mbps: int | None = None
    duplex: str | None = None


class Radio(Fact, frozen=True, kw_only=True):
    """A wireless interface: power saving, what it sends at, how strong it hears its access point."""

    name: str
    up: bool
    power_save: bool | None = None
    bitrate_mbps: float | None = None
    signal_dbm: float | None = None
    frequency_mhz: float | None = None


class Shaping(Fact, frozen=True, kw_only=True):
    """Programs that are not here, whether the kernel has htb and tbf (null: unknown), and the privileged helper.

    ``runs``: its socket is there. ``interface``: the one towards the controller, as the helper found it; ``problem``:
    the sentence with which it, or its socket, refuses.
    """

    missing: tuple[str, ...] = ()
    disciplines: bool | None = None
    runs: bool = False
    interface: str | None = None
    problem: str | None = None
