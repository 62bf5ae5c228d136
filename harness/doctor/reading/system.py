"""Time, disk, memory, load, services and limits of this machine."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shutil
from pathlib import Path

from harness.doctor.facts import Descriptors, Disk, Memory, Services, TimeSync, Unit
from harness.doctor.reading.place import Place, integer, read_text
from harness.transport.server import DESCRIPTORS

LEAST_DESCRIPTORS = 1024
DAEMONS = {"chronyd": "chrony", "systemd-timesyn": "systemd-timesyncd", "ntpd": "ntpd", "ptp4l": "ptp4l"}
"""Names as the kernel cuts them, at 15 letters."""
SYNCHRONISED = "run/systemd/timesync/synchronized"
TIME_ERROR = 5
STA_UNSYNC = 0x0040
UNITS = "federa-bench*"
SHOWN = "Id,ActiveState,SubState,NRestarts"


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), up to what is read here, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


def time_sync(place: Place) -> TimeSync:
    """The kernel's word (adjtimex, which sets nothing here), timesyncd's where that is forbidden, and the daemons."""
    daemons = {DAEMONS[name] for path in place.every("proc/[0-9]*/comm") if (name := read_text(path)) in DAEMONS}
    synchronised, max_error_s = _kernel_clock() if place.live else (None, None)
    if synchronised is None and (place.root / SYNCHRONISED).exists():
        synchronised = True
    return TimeSync(synchronised=synchronised, max_error_s=max_error_s, daemons=tuple(sorted(daemons)))


def _kernel_clock() -> tuple[bool | None, float | None]:
    told = _Timex(modes=0)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    if state < 0:  # a service whose system calls are filtered may not ask
        return None, None
    return state != TIME_ERROR and not told.status & STA_UNSYNC, told.maxerror / 1e6


def disk(place: Place) -> Disk:
    """Space at the folder, or at the nearest one above it that exists."""
    folder = place.folder or Path("runs" if place.role == "controller" else "~/.cache/federa-bench")
    wanted = Path(os.path.abspath(os.path.expanduser(folder)))  # a home that is not there stays as it is written
    existing = next(path for path in (wanted, *wanted.parents) if path.exists())
    space = shutil.disk_usage(existing)
    return Disk(
        role=place.role,
        folder=str(folder),
        existing=str(existing),
        free_bytes=space.free,
        total_bytes=space.total,
        writable=os.access(existing, os.W_OK | os.X_OK),
    )


def memory(place: Place) -> Memory | None:
    """From /proc/meminfo; None of a tree that has none."""
    sizes = {
        key: int(kib) * 1024 for key, kib in re.findall(r"^(\w+):\s+(\d+) kB", place.text("proc/meminfo") or "", re.M)
    }
    if "MemTotal" not in sizes:
        return None
    return Memory(
        total_bytes=sizes["MemTotal"],
        available_bytes=sizes.get("MemAvailable", sizes.get("MemFree", 0)),
        swap_total_bytes=sizes.get("SwapTotal", 0),
        swap_free_bytes=sizes.get("SwapFree", 0),
    )


def services(place: Place) -> Services:
    """Units of this project that systemd has loaded, and how they are."""
    told = place.answer("systemctl", "--version") or ""
    version = re.match(r"systemd (\d+)", told)
    booted = (place.root / "run/systemd/system").is_dir()
    shown = place.answer("systemctl", "show", UNITS, f"--property={SHOWN}") if booted else None
    return Services(version=int(version[1]) if version else None, booted=booted, units=units_of(shown or ""))


def units_of(shown: str) -> tuple[Unit, ...]:
    """Units as ``systemctl show`` prints them: blocks of KEY=value, with an empty line between two."""
    blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in shown.split("\n\n")]
    return tuple(
        Unit(
            name=block["Id"],
            active=block.get("ActiveState", "unknown"),
            finer=block.get("SubState", "unknown"),
            restarts=integer(block.get("NRestarts")),
        )
        for block in blocks
        if block.get("Id", "").endswith(".service")
    )


def descriptors(place: Place) -> Descriptors:
    """The limits of this process; a controller raises the soft one itself, up to the hard one."""
    soft, hard = (
        None if value == resource.RLIM_INFINITY else value for value in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    return Descriptors(
        role=place.role,
        soft=soft,
        hard=hard,
        wanted=DESCRIPTORS if place.role == "controller" else LEAST_DESCRIPTORS,
    )
