"""A made sysfs tree of a Jetson module below a folder: labels and paths as in its developer guide, values of our own.

:meth:`MadeBoard.run` lets a thread change the rails' currents along a curve of watts over ``time.monotonic()``, and
:meth:`MadeBoard.shown_j` is the exact integral of what the files said meanwhile: each value with the moment at which it
came, so that a writer that was held up by other processes makes no error.
"""

from __future__ import annotations

import math
import os
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

Curve = Callable[[str, float], float]
"""Watts of a rail at a moment of ``time.monotonic()``."""

AGX_ORIN = {
    "1-0040": (("VDD_GPU_SOC", 19936), ("VDD_CPU_CV", 19936), ("VIN_SYS_5V0", 5040)),
    "1-0041": (("NC", 0), ("VDDQ_VDD2_1V8AO", 5032), ("NC", 0)),
}
ORIN_NANO = {"1-0040": (("VDD_IN", 5040), ("VDD_CPU_GPU_CV", 5040), ("VDD_SOC", 5040))}
"""Chips, and of each channel the label and the millivolts."""

TOTAL = {"AGX Orin": ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"), "Orin Nano": ("VDD_IN",)}
MEAN_W = {
    "VDD_GPU_SOC": 14.0,
    "VDD_CPU_CV": 5.0,
    "VIN_SYS_5V0": 4.5,
    "VDDQ_VDD2_1V8AO": 1.0,
    "VDD_IN": 9.0,
    "VDD_CPU_GPU_CV": 4.0,
    "VDD_SOC": 1.5,
}
WAVE_S = 4.0
STEP_S = 0.004
ZONES = {"cpu-thermal": 51_000, "gpu-thermal": 48_500, "cv0-thermal": -256_000, "tj-thermal": 52_250}
POWER_MODES = """\
< POWER_MODEL ID=0 NAME=MAXN >
CPU_ONLINE CORE_0 1
< POWER_MODEL ID=2 NAME=MODE_30W >
CPU_ONLINE CORE_0 1
< PM_CONFIG DEFAULT=2 >
"""


def waves(rail: str, at_s: float) -> float:
    """Each rail swings by a third around its mean."""
    return MEAN_W[rail] * (1 + math.sin(2 * math.pi * at_s / WAVE_S) / 3)


def waves_j(rail: str, begin_s: float, end_s: float) -> float:
    """The integral of :func:`waves`, in closed form."""
    turn = 2 * math.pi / WAVE_S
    swing = (math.cos(turn * begin_s) - math.cos(turn * end_s)) / turn / 3
    return MEAN_W[rail] * (end_s - begin_s + swing)


class MadeBoard:
    """The files of a module, "AGX Orin" or "Orin Nano"."""

    def __init__(self, root: Path, module: str = "AGX Orin") -> None:
        self.root, self.total = root, TOTAL[module]
        self._shown: dict[str, list[tuple[float, float]]] = {}
        self._millivolts: dict[str, int] = {}
        self._files: dict[str, tuple[Path, Path]] = {}
        self._writing = threading.Lock()
        self.frozen: set[str] = set()
        for chip, channels in (AGX_ORIN if module == "AGX Orin" else ORIN_NANO).items():
            self._make_chip(chip, channels)
        self._make_rest(module)

    @property
    def rails(self) -> tuple[str, ...]:
        return tuple(self._files)

    def set_watts(self, rail: str, watts: float) -> None:
        """Write the current, in whole milliamperes as the sensor does, and remember when it could be read."""
        milliamperes = round(watts * 1e6 / self._millivolts[rail])
        begin_s = time.monotonic()
        put(self._files[rail][1], milliamperes)
        at_s = (begin_s + time.monotonic()) / 2
        self._shown[rail].append((at_s, milliamperes * self._millivolts[rail] / 1e6))

    def shown_j(self, rails: tuple[str, ...], begin_s: float, end_s: float) -> float:
        """The integral of what the files of these rails said, in joules: of steps, not of straight lines."""
        return sum(_steps_j(self._shown[rail], begin_s, end_s) for rail in rails)

    def held_up_s(self, rail: str, begin_s: float, end_s: float) -> float:
        """The longest time within a window for which the files fell behind the curve, on a machine that is busy."""
        stamps = [at_s for at_s, _ in self._shown[rail] if begin_s <= at_s <= end_s]
        return max((right - left for left, right in pairwise((begin_s, *stamps, end_s))), default=end_s - begin_s)

    def freeze(self, rail: str) -> None:
        """Nobody changes the rail from now on: what was being written of it has been written."""
        with self._writing:
            self.frozen.add(rail)

    def switch_off(self, rail: str) -> None:
        """The sensor says that it is off, and nobody changes that."""
        self.freeze(rail)
        put(self._files[rail][1], -256)

    def take_away(self, rail: str) -> None:
        """The files of the rail's values are gone; the label stays."""
        self.freeze(rail)
        for file in self._files[rail]:
            file.unlink()

    def remove(self, rail: str) -> None:
        """The rail was never there."""
        self.take_away(rail)
        volts = self._files.pop(rail)[0]
        volts.with_name(volts.name.replace("_input", "_label")).unlink()

    def set_zone(self, zone: str, millidegrees: int) -> None:
        put(self.root / f"sys/class/thermal/thermal_zone{list(ZONES).index(zone)}/temp", millidegrees)

    def set_events(self, counter: str, count: int) -> None:
        put(self.root / f"sys/class/hwmon/hwmon1/{counter}_event_cnt", count)

    def set_power_mode(self, number: int) -> None:
        put(self.root / "var/lib/nvpmodel/status", f"pmode:{number:04}")

    @contextmanager
    def run(self, curve: Curve = waves) -> Iterator[MadeBoard]:
        """Change the rails that are not frozen, every few milliseconds."""
        end = threading.Event()
        thread = threading.Thread(target=self._follow, args=(curve, end), daemon=True)
        self.show(curve)
        thread.start()
        try:
            yield self
        finally:
            end.set()
            thread.join()

    def show(self, curve: Curve) -> None:
        """What the curve says now."""
        for rail in self.rails:
            with self._writing:
                if rail not in self.frozen:
                    self.set_watts(rail, curve(rail, time.monotonic()))

    def _follow(self, curve: Curve, end: threading.Event) -> None:
        while not end.wait(STEP_S):
            self.show(curve)

    def _make_chip(self, chip: str, channels: tuple[tuple[str, int], ...]) -> None:
        folder = self.root / "sys/bus/i2c/drivers/ina3221" / chip / "hwmon" / f"hwmon{3 + int(chip[-1])}"
        folder.mkdir(parents=True)
        put(folder / "in7_label", "sum of shunt voltages")
        for number, (label, millivolts) in enumerate(channels, 1):
            put(folder / f"in{number}_label", label)
            put(folder / f"in{number}_input", millivolts)
            put(folder / f"curr{number}_input", 0)
            if label != "NC":
                self._files[label] = (folder / f"in{number}_input", folder / f"curr{number}_input")
                self._millivolts[label], self._shown[label] = millivolts, []

    def _make_rest(self, module: str) -> None:
        files: dict[str, object] = {
            "proc/device-tree/model": f"NVIDIA Jetson {module} Developer Kit\0",
            "proc/meminfo": "MemTotal:       31456000 kB\nMemFree:        100 kB\nMemAvailable:   21456000 kB",
            "etc/nvpmodel.conf": POWER_MODES,
            "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 0, BOARD: generic",
            "var/lib/nvpmodel/status": "pmode:0002",
            "sys/class/devfreq/17000000.gpu/cur_freq": 624_750_000,
            "sys/class/devfreq/17000000.gpu/max_freq": 1_300_500_000,
            "sys/class/devfreq/17000000.gpu/min_freq": 306_000_000,
            "sys/class/devfreq/17000000.gpu/governor": "nvhost_podgov",
            **{f"sys/class/hwmon/hwmon1/oc{number}_event_cnt": 0 for number in (1, 2, 3)},
            **{f"sys/class/thermal/thermal_zone{n}/type": zone for n, zone in enumerate(ZONES)},
            **{f"sys/class/thermal/thermal_zone{n}/temp": value for n, value in enumerate(ZONES.values())},
        }
        for policy, kilohertz in (("policy0", 1_728_000), ("policy4", 1_152_000)):
            below = f"sys/devices/system/cpu/cpufreq/{policy}"
            files |= {f"{below}/scaling_cur_freq": kilohertz, f"{below}/scaling_governor": "schedutil"}
            files |= {f"{below}/scaling_max_freq": 2_201_600, f"{below}/scaling_min_freq": 115_200}
        for path, content in files.items():
            put(self.root / path, content)


def put(path: Path, content: object) -> None:
    """A file's new content, whole at once: no reader finds half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}")
    new.write_text(f"{content}\n")
    os.replace(new, path)


def _steps_j(shown: list[tuple[float, float]], begin_s: float, end_s: float) -> float:
    """Of values that each stay until the next one comes; the first came before ``begin_s``."""
    first = bisect_right(shown, (begin_s, math.inf)) - 1
    assert first >= 0
    steps = [*shown[first:], (math.inf, 0.0)]
    return sum(
        watts * max(0.0, min(end_s, until_s) - max(begin_s, from_s))
        for (from_s, watts), (until_s, _) in pairwise(steps)
    )
