"""Of power mode, clocks, heat, throttling and sensors of energy. Pure data; null is "could not be told"."""

from __future__ import annotations

import msgspec

from harness.doctor.facts.base import Fact


class PowerMode(Fact, frozen=True, kw_only=True):
    """The mode that nvpmodel stored, the names of all modes by their number, and cores that are switched off."""

    jetson: bool
    mode: int | None = None
    names: dict[int, str] = msgspec.field(default_factory=dict)
    offline_cores: str = ""


class Clock(Fact, frozen=True, kw_only=True):
    """Bounds of a clock in Hz, the bound of the hardware, and the governor that moves it between them."""

    name: str
    governor: str | None = None
    driver: str | None = None
    min_hz: float | None = None
    max_hz: float | None = None
    hardware_max_hz: float | None = None


class Clocks(Fact, frozen=True, kw_only=True):
    """Clocks of the processor, by policy, and of the GPU."""

    jetson: bool
    cpu: tuple[Clock, ...] = ()
    gpu: tuple[Clock, ...] = ()


class Heat(Fact, frozen=True, kw_only=True):
    """Temperatures by zone in degrees C (null: not to be read; -256: the sensor is off), and where it throttles."""

    zones: dict[str, float | None] = msgspec.field(default_factory=dict)
    limits: dict[str, float] = msgspec.field(default_factory=dict)


class Throttling(Fact, frozen=True, kw_only=True):
    """Events since the machine started: oc1 to oc3 of a Jetson, "thermal" of other processors."""

    counts: dict[str, int] = msgspec.field(default_factory=dict)


class Sensors(Fact, frozen=True, kw_only=True):
    """What a sampler reads here: its source, the power rails, those that make the total and those of them that miss.

    ``closed``: rails that have a sensor and gave no value. ``samples``: how many rows came in the time.
    """

    jetson: bool
    source: str
    samples: int = 0
    rails: tuple[str, ...] = ()
    total: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
