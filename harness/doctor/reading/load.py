"""What others do on this machine: two looks at /proc, without this process, who asked it, and their children."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from harness.doctor.facts import Load
from harness.doctor.reading.place import Place, integer, read_text

WATCH_S = 0.4
BUSY = (0, 1, 2, 5, 6, 7)
"""user, nice, system, irq, softirq and steal of /proc/stat; while idle or waiting for a disk nothing is busy."""
GPU_LOADS = ("sys/devices/platform/gpu.0/load", "sys/devices/gpu.0/load", "sys/devices/platform/*/*.gpu/load")
"""In thousandths; which of them there is depends on the release of Jetson Linux."""


class Spent(msgspec.Struct, frozen=True):
    """Ticks of a process so far, with those of its children that ended; its name, its parent."""

    name: str
    parent: int
    ticks: int
    ended_children: int


class Look(msgspec.Struct, frozen=True):
    """When, ticks of the whole machine, and of each process by its id."""

    at_s: float
    ticks: int
    spent: dict[int, Spent]


def load(place: Place) -> Load | None:
    """Averages and what is busy at the moment; None of a tree without /proc."""
    average = (place.text("proc/loadavg") or "").split()
    if not average:
        return None
    busy_cores, busiest = _watched(place) if place.live else (None, None)
    return Load(
        cores=len(place.every("sys/devices/system/cpu/cpu[0-9]*")) or os.cpu_count() or 1,
        average_1m=float(average[0]),
        busy_cores=busy_cores,
        busiest=busiest,
        gpu=_gpu(place),
    )


def _gpu(place: Place) -> float | None:
    for pattern in GPU_LOADS:
        for path in place.every(pattern):
            if (thousandths := integer(read_text(path))) is not None:
                return thousandths / 1000
    return None


def _watched(place: Place) -> tuple[float | None, str | None]:
    first = look(place.root)
    time.sleep(WATCH_S)
    return others(first, look(place.root), _asker(), os.sysconf("SC_CLK_TCK"))


def _asker() -> int:
    """This process, or the one that started it if that is the same program: an agent that has itself examined."""
    parent = os.getppid()
    try:
        same = Path(f"/proc/{parent}/exe").samefile("/proc/self/exe")
    except OSError:
        same = False
    return parent if same else os.getpid()


def others(first: Look, second: Look, own: int, ticks_per_s: int) -> tuple[float | None, str | None]:
    """Cores that others kept busy between two looks, and the name of the busiest of them."""
    span_s = second.at_s - first.at_s
    if span_s <= 0:
        return None, None
    family = _family(second.spent, own)
    ours = sum(_grown(first, second, pid) for pid in family)
    ours += second.spent[own].ended_children - first.spent[own].ended_children if own in first.spent else 0
    busy_cores = max(0, second.ticks - first.ticks - ours) / ticks_per_s / span_s
    busiest = max(
        (pid for pid in second.spent if pid not in family), key=lambda pid: _grown(first, second, pid), default=0
    )
    named = busiest in second.spent and _grown(first, second, busiest) > 0
    return busy_cores, second.spent[busiest].name if named else None


def _grown(first: Look, second: Look, pid: int) -> int:
    before = first.spent.get(pid)
    return second.spent[pid].ticks - (before.ticks if before else 0)


def _family(spent: dict[int, Spent], own: int) -> set[int]:
    """A process and all that descend from it."""
    family = {own} & set(spent)
    while more := {pid for pid, one in spent.items() if one.parent in family and pid not in family}:
        family |= more
    return family


def look(root: Path) -> Look:
    """Read /proc once."""
    words = ((read_text(root / "proc/stat") or "").splitlines() or [""])[0].split()[1:]
    ticks = sum(int(words[index]) for index in BUSY if index < len(words))
    found = {int(path.name): _spent(read_text(path / "stat")) for path in (root / "proc").glob("[0-9]*")}
    return Look(time.monotonic(), ticks, {pid: one for pid, one in found.items() if one is not None})


def _spent(stat: str | None) -> Spent | None:
    """A line of /proc/PID/stat; the name stands in brackets and may hold some itself. None: it ended meanwhile."""
    head, bracket, tail = (stat or "").rpartition(")")
    fields = tail.split()
    if not bracket or len(fields) < 15:
        return None
    user, system, child_user, child_system = (int(fields[index]) for index in (11, 12, 13, 14))
    return Spent(head.partition("(")[2], int(fields[1]), user + system, child_user + child_system)
