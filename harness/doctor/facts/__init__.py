"""What probes read of a machine, before anybody judges it. Pure data."""

from __future__ import annotations

from harness.doctor.facts.access import Groups, Keys
from harness.doctor.facts.base import Fact, Role
from harness.doctor.facts.board import Clock, Clocks, Heat, PowerMode, Sensors, Throttling
from harness.doctor.facts.network import Radio, Reach, Shaping, Wire
from harness.doctor.facts.software import Accelerator, Board, Software, Wanted
from harness.doctor.facts.system import Descriptors, Disk, Load, Memory, Services, TimeSync, Unit

__all__ = [
    "Accelerator",
    "Board",
    "Clock",
    "Clocks",
    "Descriptors",
    "Disk",
    "Fact",
    "Groups",
    "Heat",
    "Keys",
    "Load",
    "Memory",
    "PowerMode",
    "Radio",
    "Reach",
    "Role",
    "Sensors",
    "Services",
    "Shaping",
    "Software",
    "Throttling",
    "TimeSync",
    "Unit",
    "Wanted",
    "Wire",
]
