"""Power rails of a Jetson board, from the INA3221 sensors' files in sysfs.

``in1_input`` to ``in3_input`` are millivolts, ``curr1_input`` to ``curr3_input`` milliamperes, ``in1_label`` to
``in3_label`` the rails' names (Linux, Documentation/hwmon/ina3221.rst; ``in7`` and ``curr4`` are sums of channels).
JetPack 5 and later.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.sensors.fields import OFFLINE
from harness.sensors.rails import NOT_CONNECTED
from harness.sensors.readings import folders, number, text

DRIVER = "sys/bus/i2c/drivers/ina3221"
CHANNELS = (1, 2, 3)
MICROWATTS = 1e-6
"""Millivolts times milliamperes, in watts."""


class Rail(NamedTuple):
    """A channel: its label, and the files of its voltage and its current."""

    label: str
    volts: str
    amperes: str


def rails(root: str) -> list[Rail]:
    """The channels that measure something, below ``root`` ("/" or a made tree); none where there is no sensor."""
    found: dict[str, Rail] = {}
    for chip in folders(f"{root}/{DRIVER}", "1-"):
        for hwmon in folders(f"{chip}/hwmon", "hwmon"):
            for rail in filter(None, (_rail(hwmon, channel) for channel in CHANNELS)):
                found.setdefault(rail.label, rail)
    return list(found.values())


def _rail(hwmon: str, channel: int) -> Rail | None:
    label = text(f"{hwmon}/in{channel}_label")
    if not label or label == NOT_CONNECTED:
        return None
    return Rail(label, f"{hwmon}/in{channel}_input", f"{hwmon}/curr{channel}_input")


def watts(rail: Rail) -> float | None:
    """What flows now; null where one of the files cannot be read, :data:`OFFLINE` where one says that it is off."""
    millivolts, milliamperes = number(rail.volts), number(rail.amperes)
    if millivolts is None or milliamperes is None:
        return None
    if OFFLINE in (millivolts, milliamperes):
        return OFFLINE
    return millivolts * milliamperes * MICROWATTS
