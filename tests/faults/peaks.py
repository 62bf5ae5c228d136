"""The most memory that a process has had, from /proc."""

from __future__ import annotations

import subprocess
from pathlib import Path

LOOK_S = 0.05


def peak_rss_bytes(pid: int) -> int:
    """The peak of a process' resident memory so far (VmHWM); 0 where it is gone.

    A process that was just forked has its parent's pages: look once it runs a program of its own.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def forget_peak(pid: int) -> int:
    """Have a process' peak begin anew with what it has now, and return that."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak_rss_bytes(pid)


def peak_until_end(process: subprocess.Popen[bytes]) -> int:
    """The peak of a process, looked at until it ends."""
    peak = 0
    while True:
        peak = max(peak, peak_rss_bytes(process.pid))
        try:
            process.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            continue
        return peak
