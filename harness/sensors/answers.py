"""An answer of jetson-stats in this project's words and units. Pure: it reads what the object in hand says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from harness.sensors.fields import CPU_HZ, GPU_HZ, MEMORY, OFFLINE, rail_field, temperature_field

KILOHERTZ, KILOBYTE = 1000.0, 1024.0
MICROWATTS, MILLIWATTS = 1e-6, 1e-3


class Answer(NamedTuple):
    """``uptime_s`` is when the service read its values; watts by rail; all other figures by field."""

    uptime_s: float
    rails_w: dict[str, float | None]
    others: dict[str, float | None]
    facts: dict[str, Any]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of what :meth:`values` gives, in this order."""
        return (*map(rail_field, self.rails_w), *self.others)

    def values(self, fields: tuple[str, ...]) -> list[float | None]:
        """One value for each field; null for what this answer has not."""
        found = {**{rail_field(rail): value for rail, value in self.rails_w.items()}, **self.others}
        return [found.get(field) for field in fields]


def answer_of(service: Any) -> Answer:
    """What the service (a started ``jtop.jtop``) says now.

    Raises:
        LookupError, AttributeError, TypeError, ValueError: it is not as jetson-stats 4 to 7 say it.
    """
    temperatures = {temperature_field(zone): _celsius(said) for zone, said in dict(service.temperature).items()}
    return Answer(
        uptime_s=float(service.uptime.total_seconds()),
        rails_w={rail: _watts(said) for rail, said in _rails(service.power)},
        others={
            **temperatures,
            CPU_HZ: _mean_hz(core.get("freq", {}).get("cur") for core in service.cpu["cpu"] if core.get("online")),
            GPU_HZ: _mean_hz(gpu.get("freq", {}).get("cur") for gpu in dict(service.gpu).values()),
            MEMORY: float(service.memory["RAM"]["used"]) * KILOBYTE,
        },
        facts={"board": service.board["hardware"].get("Model"), "power_mode": str(service.nvpmodel)},
    )


def _rails(power: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rails, and the one that was taken out of them because it is the total: it still has its name."""
    yield from power["rail"].items()
    if name := power["tot"].get("name"):
        yield name, power["tot"]


def _watts(said: Mapping[str, Any]) -> float | None:
    """The product of volts and amperes; the power it gives is cut to whole milliwatts."""
    volts, amperes, power = said.get("volt"), said.get("curr"), said.get("power")
    if not said.get("online", True) or OFFLINE in (volts, amperes, power):
        return OFFLINE
    if volts is not None and amperes is not None:
        return float(volts) * float(amperes) * MICROWATTS
    return None if power is None else float(power) * MILLIWATTS


def _celsius(said: Mapping[str, Any]) -> float | None:
    return float(said["temp"]) if said.get("online", True) else OFFLINE


def _mean_hz(kilohertz: Iterator[float | None]) -> float | None:
    there = [float(value) for value in kilohertz if value]
    return KILOHERTZ * sum(there) / len(there) if there else None
