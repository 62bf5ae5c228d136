"""Where processor time goes: the seconds of each thread of this process and its descendants, between two moments.

The kernel counts them (``/proc/PID/task/TID/schedstat``), so that watching costs nothing meanwhile.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

NS_PER_S = 1e9
PROC = Path("/proc")


class Thread(NamedTuple):
    """A thread as people know it: what its process is, and what it is called itself."""

    process: str
    thread: str


def spent(pid: int | None = None) -> dict[Thread, float]:
    """Seconds of processor time so far, of a process (this one by default) and all that descend from it.

    Threads that ended are not counted, nor are processes that end while this looks.
    """
    top = psutil.Process(pid or os.getpid())
    seconds: dict[Thread, float] = defaultdict(float)
    for process in (top, *top.children(recursive=True)):
        try:
            name = "controller" if process is top else _called(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        for task in _tasks(process.pid):
            if (counted := _counted(task)) is not None:
                seconds[Thread(name, counted[0])] += counted[1]
    return seconds


def told(before: Mapping[Thread, float], after: Mapping[Thread, float], per: int, least_s: float = 0.0005) -> str:
    """A line for each kind of thread, the dearest first: what it took between two counts, over ``per`` rounds."""
    took = {thread: (seconds - before.get(thread, 0.0)) / per for thread, seconds in after.items()}
    lines = [f"{sum(took.values()):8.4f} s of processor time a round, all processes together"]
    for thread, seconds in sorted(took.items(), key=lambda pair: -pair[1]):
        if seconds >= least_s:
            lines.append(f"{seconds:8.4f} s  {thread.process}, thread {thread.thread}")
    return "\n".join(lines)


def _called(command: list[str]) -> str:
    """A module that runs by its name, a script by that of its file."""
    if "-m" in command[:-1]:
        return command[command.index("-m") + 1]
    script = next((word for word in command[1:] if word.endswith(".py")), None)
    return Path(script or (command or ["?"])[0]).name


def _tasks(pid: int) -> list[Path]:
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except OSError:
        return []


def _counted(task: Path) -> tuple[str, float] | None:
    """A thread's name, and the seconds it ran."""
    try:
        return (task / "comm").read_text().strip(), int((task / "schedstat").read_text().split()[0]) / NS_PER_S
    except OSError:
        return None
