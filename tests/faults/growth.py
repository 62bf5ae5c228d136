"""Whether a process grows: its descriptors and the memory of its own, from /proc, looked at while a run lasts."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

LOOK_S = 0.01
LAST = 100
"""So many looks tell what a process holds: one alone also falls on a transfer, with a file open."""


@dataclass(frozen=True)
class Held:
    """What a process holds at a moment; also by how much that is more than at another one.

    ``own_bytes`` is its resident memory without mapped files, which come and go with the states that are averaged.
    """

    descriptors: int
    own_bytes: int

    def __sub__(self, other: Held) -> Held:
        return Held(self.descriptors - other.descriptors, self.own_bytes - other.own_bytes)


def held(pid: int) -> Held:
    """What a process holds now.

    Raises:
        OSError: it is gone.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    own_kib = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")), None)
    if own_kib is None:
        raise ProcessLookupError(f"process {pid} has ended")
    return Held(len(list(Path(f"/proc/{pid}/fd").iterdir())), own_kib * 1024)


def typical(samples: Sequence[Held]) -> Held:
    """What a process holds most of the time: medians."""
    return Held(median_low(one.descriptors for one in samples), median_low(one.own_bytes for one in samples))


def least(samples: Sequence[Held]) -> Held:
    """The least that was seen of each: what is held for good."""
    return Held(min(one.descriptors for one in samples), min(one.own_bytes for one in samples))


def most(growths: Iterable[Held]) -> Held:
    """The worst of several, descriptors and memory each on its own."""
    every = list(growths)
    return Held(max(one.descriptors for one in every), max(one.own_bytes for one in every))


class Watch:
    """Looks at processes by name, not too often, and keeps the last of what it saw of the present one of each name."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, deque[Held]]] = {}
        self._next_s = 0.0

    def look(self, pids: Mapping[str, int]) -> None:
        """Look at these processes, if it is time; those that are gone are left out."""
        if time.monotonic() < self._next_s:
            return
        for name, pid in pids.items():
            try:
                now = held(pid)
            except OSError:
                continue
            if name not in self._seen or self._seen[name][0] != pid:
                self._seen[name] = pid, deque(maxlen=LAST)
            self._seen[name][1].append(now)
        self._next_s = time.monotonic() + LOOK_S

    def last(self) -> dict[str, Held]:
        """What each process held when it was looked at last."""
        return {name: typical(samples) for name, (_, samples) in self._seen.items()}


def grown(after: Mapping[str, Held], before: Mapping[str, Held]) -> Held:
    """By how much processes hold more than those of the same name elsewhere; the worst of all."""
    return most(after[name] - before[name] for name in after.keys() & before.keys())
