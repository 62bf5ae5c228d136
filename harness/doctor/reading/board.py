"""Power mode, clocks, heat and throttling of a board, from sysfs below the root."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.doctor.facts import Clock, Clocks, Heat, PowerMode, Sensors, Throttling
from harness.doctor.reading.place import Place, integer, read_text
from harness.doctor.reading.software import board
from harness.protocol.beside import Telemetry
from harness.sensors import Sampler
from harness.sensors.board import CPUS, DEVFREQ, GPUS, HWMON, POWER_MODE, POWER_MODES, THERMAL
from harness.sensors.fields import OFFLINE, rail_of

CPU = "sys/devices/system/cpu"
SAMPLE_HZ = 20.0
SAMPLES_S = 5.0
LIMITING = ("passive", "hot")
"""Kinds of trip points at which the kernel lowers clocks; "active" ones turn a fan."""


def power_mode(place: Place) -> PowerMode:
    """The stored mode ("pmode:0000 fmode:quiet") and the names of all modes."""
    stored = re.search(r"pmode:(\d+)", place.text(POWER_MODE) or "")
    modes = re.findall(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>", place.text(POWER_MODES) or "")
    return PowerMode(
        jetson=board(place).jetson,
        mode=int(stored[1]) if stored else None,
        names={int(number): name for number, name in modes},
        offline_cores=place.text(f"{CPU}/offline") or "",
    )


def clocks(place: Place) -> Clocks:
    """Each policy of cpufreq, and each GPU of devfreq."""
    gpus = [path for path in place.every(f"{DEVFREQ}/*") if path.name.rpartition(".")[2] in GPUS]
    return Clocks(
        jetson=board(place).jetson,
        cpu=tuple(_policy(path) for path in place.every(f"{CPUS}/policy*")),
        gpu=tuple(_devfreq(path) for path in gpus),
    )


def _policy(path: Path) -> Clock:
    return Clock(
        name=path.name,
        governor=read_text(path / "scaling_governor"),
        driver=read_text(path / "scaling_driver"),
        min_hz=_scaled(path / "scaling_min_freq", 1e3),
        max_hz=_scaled(path / "scaling_max_freq", 1e3),
        hardware_max_hz=_scaled(path / "cpuinfo_max_freq", 1e3),
    )


def _devfreq(path: Path) -> Clock:
    rates = [rate for word in (read_text(path / "available_frequencies") or "").split() if (rate := integer(word))]
    return Clock(
        name=path.name,
        governor=read_text(path / "governor"),
        min_hz=_scaled(path / "min_freq", 1.0),
        max_hz=_scaled(path / "max_freq", 1.0),
        hardware_max_hz=float(max(rates)) if rates else None,
    )


def _scaled(path: Path, factor: float) -> float | None:
    value = integer(read_text(path))
    return None if value is None else value * factor


def throttling(place: Place) -> Throttling:
    """Over-current counters of a Jetson (oc1_event_cnt ...), thermal ones of other processors."""
    counts: dict[str, int] = {}
    for path in place.every(f"{HWMON}/hwmon*/oc*_event_cnt"):
        if (count := integer(read_text(path))) is not None:
            name = path.name.removesuffix("_event_cnt")
            counts[name] = counts.get(name, 0) + count
    for path in place.every(f"{CPU}/cpu*/thermal_throttle/core_throttle_count"):
        if (count := integer(read_text(path))) is not None:
            counts["thermal"] = counts.get("thermal", 0) + count
    return Throttling(counts=counts)


def heat(place: Place) -> Heat:
    """Each thermal zone, and the lowest trip point at which it lowers clocks."""
    zones: dict[str, float | None] = {}
    limits: dict[str, float] = {}
    for zone in place.every(f"{THERMAL}/thermal_zone*"):
        name = read_text(zone / "type") or zone.name
        if name.startswith("PMIC"):
            continue  # a constant of 100 degrees on older modules
        milli = integer(read_text(zone / "temp"))
        zones[name] = None if milli is None else milli / 1000
        trips = [_trip(path) for path in sorted(zone.glob("trip_point_*_type"))]
        if found := [celsius for celsius in trips if celsius is not None and celsius > 0]:
            limits[name] = min(found)
    return Heat(zones=zones, limits=limits)


def _trip(kind: Path) -> float | None:
    milli = integer(read_text(kind.with_name(kind.name.replace("_type", "_temp"))))
    return milli / 1000 if milli is not None and read_text(kind) in LIMITING else None


def sensors(place: Place) -> Sensors:
    """What a sampler of this machine's sensors says of itself, and its first rows."""
    sampler = Sampler.start(place.root, SAMPLE_HZ)
    assert sampler is not None
    try:
        told, messages = _first_rows(sampler)
    finally:
        sampler.close()
    return sensors_of(board(place).jetson, told, messages)


def _first_rows(sampler: Sampler) -> tuple[dict[str, Any], list[Telemetry]]:
    until_s = time.monotonic() + SAMPLES_S
    messages: list[Telemetry] = []
    while not messages and (left_s := until_s - time.monotonic()) > 0:
        select.select([sampler.fd], [], [], left_s)
        messages = sampler.read()
    return sampler.describe(), messages


def sensors_of(jetson: bool, told: dict[str, Any], messages: Sequence[Telemetry]) -> Sensors:
    """Facts of what a sampler tells of itself, and of its rows."""
    fields = messages[-1].fields if messages else ()
    values = dict(zip(fields, messages[-1].rows[-1], strict=True)) if messages else {}
    labels = {field: label for field in fields if (label := rail_of(field))}
    return Sensors(
        jetson=jetson,
        source=str(told["source"]),
        samples=sum(len(message.rows) for message in messages),
        rails=tuple(labels.values()),
        total=tuple(told.get("total", ())),
        missing=tuple(told.get("missing", ())),
        closed=tuple(label for field, label in labels.items() if values[field] in (None, OFFLINE)),
    )
