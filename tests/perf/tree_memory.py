"""Runs a program, and watches what it and all its descendants hold of memory together."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

EVERY_S = 0.25
LONGEST_S = 900.0


class Watched(NamedTuple):
    """How long a program ran, and the most that its processes held at once (PSS: shared pages are counted once)."""

    seconds: float
    peak_bytes: int


def watched(command: Sequence[str], environ: Mapping[str, str], log: Path) -> Watched:
    """Run a program to its end; what it says goes to ``log``.

    Raises:
        RuntimeError: it failed, or took too long; the last lines it said are told.
    """
    peak_bytes, done = 0, threading.Event()
    began_s = time.perf_counter()
    with log.open("wb") as said:
        process = subprocess.Popen(command, env=dict(environ), stdout=said, stderr=subprocess.STDOUT)

    def watch() -> None:
        nonlocal peak_bytes
        while not done.wait(EVERY_S):
            peak_bytes = max(peak_bytes, held_bytes(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        code = process.wait(LONGEST_S)
    except subprocess.TimeoutExpired:
        end_tree(process.pid)
        raise RuntimeError(f"{command[1]} took longer than {LONGEST_S:g} s: {tail(log)}") from None
    finally:
        done.set()
        watcher.join()
    if code != 0:
        raise RuntimeError(f"{command[1]} ended with {code}: {tail(log)}")
    return Watched(time.perf_counter() - began_s, peak_bytes)


def held_bytes(pid: int) -> int:
    """What a process and its descendants hold now; those that end meanwhile count nothing."""
    held = 0
    for one in tree(pid):
        try:
            held += one.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return held


def tree(pid: int) -> list[psutil.Process]:
    """A process and its descendants; none where it has ended."""
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end_tree(pid: int) -> None:
    """Kill a process that this one started, and its descendants."""
    for one in reversed(tree(pid)):
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue


def tail(log: Path) -> str:
    """The last lines of a log, as one."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " | ".join(lines[-5:]) or "it said nothing"
