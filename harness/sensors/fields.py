"""Names of what a row of samples holds; the unit is the suffix. Pure.

A row begins with ``at_s`` (the sampler's CLOCK_MONOTONIC) and ``total_w``. Null is "not read this time"; temperatures,
clocks, counters and memory are read less often than rails. :data:`OFFLINE` is what a sensor says that is switched off.
"""

from __future__ import annotations

AT = "at_s"
TOTAL = "total_w"
CPU_HZ = "cpu_hz"
GPU_HZ = "gpu_hz"
MEMORY = "memory_bytes"
UPTIME = "uptime_s"
"""When jetson-stats' service read its values, on its own clock: what does not grow is stale."""

OFFLINE = -256.0
"""As the thermal firmware of Jetson boards writes it, in degrees; taken for "off" in any field."""

_RAIL, _WATTS = "rail_", "_w"
_TEMPERATURE, _CELSIUS = "temperature_", "_c"
_EVENTS = "events_"


def rail_field(label: str) -> str:
    """The field of a rail's watts."""
    return f"{_RAIL}{label}{_WATTS}"


def rail_of(field: str) -> str | None:
    """The rail whose watts a field holds; None: it is none."""
    if field.startswith(_RAIL) and field.endswith(_WATTS):
        return field[len(_RAIL) : -len(_WATTS)]
    return None


def temperature_field(zone: str) -> str:
    """The field of a thermal zone's degrees Celsius."""
    return f"{_TEMPERATURE}{zone}{_CELSIUS}"


def is_temperature(field: str) -> bool:
    """Whether a field holds degrees Celsius."""
    return field.startswith(_TEMPERATURE)


def events_field(counter: str) -> str:
    """The field of a counter of throttling events."""
    return f"{_EVENTS}{counter}"


def is_events(field: str) -> bool:
    """Whether a field holds a counter of throttling events."""
    return field.startswith(_EVENTS)
