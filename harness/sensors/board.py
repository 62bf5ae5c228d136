"""Heat, clocks, throttling and memory from sysfs and procfs, and what a device says of itself. Any Linux has some."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.sensors.fields import CPU_HZ, GPU_HZ, MEMORY, OFFLINE, events_field, temperature_field
from harness.sensors.readings import folders, number, text

CPUS = "sys/devices/system/cpu/cpufreq"
THERMAL = "sys/class/thermal"
HWMON = "sys/class/hwmon"
DEVFREQ = "sys/class/devfreq"
MODEL = "proc/device-tree/model"
POWER_MODE = "var/lib/nvpmodel/status"
POWER_MODES = "etc/nvpmodel.conf"
RELEASE = "etc/nv_tegra_release"
GPUS = ("ga10b", "gv11b", "gp10b", "gm20b", "gpu")
"""The GPU's name in the device tree, from Orin back to the first Nano; JetPack 6 calls it "gpu"."""

COUNTERS = ("oc1", "oc2", "oc3")
"""Over-current events: each made the hardware lower its clocks at once."""

KILOBYTE, KILOHERTZ, MILLIDEGREES = 1024, 1000, 1000


class Board:
    """The files that are there below ``root``, found once; :meth:`read` reads them."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._zones = dict(_zones(root))
        self._clocks = list(folders(f"{root}/{CPUS}", "policy"))
        self._gpu = _gpu(root)
        self._counters = dict(_counters(root))

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of what :meth:`read` gives, in its order."""
        return (
            *(temperature_field(zone) for zone in self._zones),
            CPU_HZ,
            *((GPU_HZ,) if self._gpu else ()),
            *(events_field(counter) for counter in self._counters),
            MEMORY,
        )

    def read(self) -> list[float | None]:
        """One value for each of :attr:`fields`."""
        return [
            *(_celsius(number(path)) for path in self._zones.values()),
            self._cpu_hz(),
            *((number(f"{self._gpu}/cur_freq"),) if self._gpu else ()),
            *(number(path) for path in self._counters.values()),
            _memory_bytes(text(f"{self._root}/proc/meminfo") or ""),
        ]

    def facts(self) -> dict[str, object]:
        """What the device says of itself; null: it does not."""
        first = self._clocks[0] if self._clocks else ""
        release = text(f"{self._root}/{RELEASE}")
        return {
            "board": text(f"{self._root}/{MODEL}"),
            "jetpack": release.splitlines()[0].strip("# ") if release else None,
            "power_mode": power_mode(self._root),
            "governor": text(f"{first}/scaling_governor"),
            "cpu_max_hz": _times(number(f"{first}/scaling_max_freq"), KILOHERTZ),
            "cpu_min_hz": _times(number(f"{first}/scaling_min_freq"), KILOHERTZ),
            "gpu_max_hz": number(f"{self._gpu}/max_freq"),
            "gpu_min_hz": number(f"{self._gpu}/min_freq"),
            "gpu_governor": text(f"{self._gpu}/governor"),
        }

    def _cpu_hz(self) -> float | None:
        """The mean over clusters of cores; the governor's own figure, which costs nothing to read."""
        found = [number(f"{policy}/scaling_cur_freq") for policy in self._clocks]
        there = [value for value in found if value is not None]
        return KILOHERTZ * sum(there) / len(there) if there else None


def power_mode(root: str) -> str | None:
    """The power mode by its name, such as "MAXN"; its number where the name is not known; null: not such a device.

    ``pmode:0002`` is the mode of that number in /etc/nvpmodel.conf.
    """
    found = re.match(r"pmode:(\d+)", text(f"{root}/{POWER_MODE}") or "")
    if not found:
        return None
    number_of = int(found[1])
    named = re.search(rf"<\s*POWER_MODEL\s+ID={number_of}\s+NAME=(\S+)\s*>", _whole(f"{root}/{POWER_MODES}"))
    return named[1] if named else str(number_of)


def _whole(path: str) -> str:
    """A file of some pages; nothing where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _zones(root: str) -> Iterable[tuple[str, str]]:
    """The name of each thermal zone ("cpu-thermal" is called "cpu"), and the file of its temperature."""
    for folder in folders(f"{root}/{THERMAL}", "thermal_zone"):
        name = text(f"{folder}/type")
        # The PMIC's zone gives a constant of 100 degrees on older modules.
        if name and not name.startswith("PMIC"):
            yield re.sub(r"[-_]?(thermal|therm)$", "", name, flags=re.IGNORECASE) or name, f"{folder}/temp"


def _celsius(millidegrees: int | None) -> float | None:
    """A zone that cannot be read, as those of parts without power, counts as one that says that it is off."""
    return OFFLINE if millidegrees is None else millidegrees / MILLIDEGREES


def _counters(root: str) -> Iterable[tuple[str, str]]:
    for folder in folders(f"{root}/{HWMON}", "hwmon"):
        for counter in COUNTERS:
            path = f"{folder}/{counter}_event_cnt"
            if number(path) is not None:
                yield counter, path


def _gpu(root: str) -> str | None:
    """The folder of the integrated GPU's clock; it is called by its address and its name."""
    for folder in folders(f"{root}/{DEVFREQ}", ""):
        if folder.rsplit(".", 1)[-1] in GPUS:
            return folder
    return None


def _memory_bytes(meminfo: str) -> float | None:
    """What is in use: all, less what could be had without swapping. The GPU of these boards has the same memory."""
    found = dict(re.findall(r"^(MemTotal|MemAvailable):\s+(\d+) kB", meminfo, flags=re.MULTILINE))
    if len(found) < 2:
        return None
    return float(KILOBYTE * (int(found["MemTotal"]) - int(found["MemAvailable"])))


def _times(value: int | None, factor: int) -> int | None:
    return None if value is None else value * factor
