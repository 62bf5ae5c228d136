"""Processes of runs: started, asked whether they ended, stopped together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.environment import SHARE_VARIABLE, share
from harness.store import RunFolder

GRACE_S = 60.0
"""A run that is told to stop ends its round's errand first; evaluation on a slow machine may take this long."""


class Worker(Protocol):
    """The process of one run."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""


class Workers(Protocol):
    """Starts the processes of runs."""

    def start(self, folder: RunFolder, log: Path) -> Worker:
        """Begin to carry a run folder on; what the process says is appended to ``log``."""


@dataclass
class Processes:
    """Runs as processes of this machine, of ``cores`` cores each, that share the cache ``out/.cache``."""

    out: Path
    cores: int
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, folder: RunFolder, log: Path) -> subprocess.Popen[bytes]:
        """See :class:`Workers`."""
        process = begun(folder.path, self.out, log, self.cores)
        self._started = [*(one for one in self._started if not _gone(one)), process]
        return process

    def stop(self) -> None:
        """Tell all that still run to stop, and wait; end by pid what does not go by itself in a minute."""
        running = [process for process in self._started if not _gone(process)]
        for process in running:
            process.terminate()
        limit_s = time.monotonic() + GRACE_S
        for process in running:
            try:
                process.wait(max(0.1, limit_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _gone(process)


def begun(run: Path, out: Path, log: Path, cores: int) -> subprocess.Popen[bytes]:
    """The process that carries the run folder on, with ``out/.cache`` as cache; it ends when its stdin does.

    It trains in as many processes as ``cores`` are for, and not for the whole machine: others run beside it.
    """
    argv = [sys.executable, "-m", "harness.sweep.child", str(run), str(out)]
    environment = {**os.environ, SHARE_VARIABLE: str(cores)}
    with log.open("ab") as file:
        # A session of its own: Ctrl-C in the terminal is for the sweep, which then tells its runs.
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=file, stderr=file, start_new_session=True, env=environment
        )


def _gone(process: subprocess.Popen[bytes]) -> bool:
    """Whether it ended; then its pipe, which told it that the sweep lives, is closed too."""
    if process.poll() is None:
        return False
    if process.stdin is not None:
        process.stdin.close()
    return True


@contextmanager
def processes(out: Path, jobs: int = 1) -> Iterator[Processes]:
    """Processes of runs, ``jobs`` at a time, which share this machine; none is left at the end of the block."""
    started = Processes(out, max(1, share() // jobs))
    try:
        yield started
    finally:
        started.stop()
