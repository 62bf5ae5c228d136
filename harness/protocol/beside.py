"""What travels beside the rounds: heartbeats with the clocks of both ends, samples of sensors, words on a device."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from harness.protocol.fields import AgentName, Message, Session, Size, Text

MAX_TELEMETRY_VALUES = 4000
"""Fields times rows of one message: it stays far below the limit of a message's first frame."""


class Beat(Message, frozen=True, kw_only=True, tag="beat"):
    """I am alive. ``number`` grows by one; ``doing`` is a word for people (idle, fetching, training, sending).

    ``session`` and ``connection`` are those of the Hello over the main socket. ``sent_s`` is the agent's monotonic
    clock.
    """

    agent: AgentName
    session: Session
    number: Size
    doing: Annotated[str, Meta(max_length=32)]
    connection: Size = 1
    sent_s: float = 0.0


class BeatEcho(Message, frozen=True, kw_only=True, tag="beat-echo"):
    """The controller is alive and saw this number.

    Not ``known``: the agent counts as lost, or as one that is here over an older connection, and is to say Hello over a
    new one. ``beat_sent_s`` is the beat's own stamp, ``received_s`` and ``sent_s`` are the run's clock: with the moment
    at which the echo came these are the four stamps that give the offset of the clocks.
    """

    number: Size
    known: bool = True
    beat_sent_s: float = 0.0
    received_s: float = 0.0
    sent_s: float = 0.0


class Telemetry(Message, frozen=True, kw_only=True, tag="telemetry"):
    """Samples of an agent's sensors: one row each, the first field is ``at_s`` on the agent's monotonic clock.

    They are sent while no transfer is timed. At most :data:`MAX_TELEMETRY_VALUES` values in a message; null: not read.
    """

    source: Annotated[str, Meta(max_length=32)]
    fields: Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(min_length=1, max_length=100)]
    rows: Annotated[tuple[tuple[float | None, ...], ...], Meta(max_length=MAX_TELEMETRY_VALUES)]


class DeviceReport(Message, frozen=True, kw_only=True, tag="device-report"):
    """What the agent found of its device, once it is ready: ``report`` goes into the header of the run as it is.

    Its keys: "device" (model, power mode, clocks, versions), "doctor" (what ``federa-bench doctor --json`` prints),
    "shaping" (the probe of a kernel-shaped link, null otherwise), "idle" (the idle baseline). Below 48 KiB as msgpack.
    """

    report: dict[str, Any]
    note: Text = ""
