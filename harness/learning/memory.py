"""How much memory this process has taken."""

from __future__ import annotations

import resource
from pathlib import Path

KIB = 1024
_STATUS = Path("/proc/self/status")
_PEAK = "VmHWM:"


def peak_rss_bytes() -> int:
    """The greatest resident memory of this process so far.

    Linux carries ``ru_maxrss`` of who starts a process over to it, so that a small process of a large one would tell of
    the large one: it is asked only where /proc does not tell of this program alone.
    """
    try:
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    told = [int(line.split()[1]) for line in lines if line.startswith(_PEAK)]
    return KIB * (told[0] if told else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
