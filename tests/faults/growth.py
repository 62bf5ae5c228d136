"""Whether a process grows: its descriptors and its resident memory, from /proc."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Held:
    """What a process holds at a moment."""

    descriptors: int
    rss_bytes: int


def held(pid: int) -> Held:
    """What a process holds now.

    Raises:
        OSError: it is gone.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    rss_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return Held(len(list(Path(f"/proc/{pid}/fd").iterdir())), rss_kib * 1024)
