"""A process that is started again when it ends, as systemd does it; :meth:`Supervised.tend` has to be called often."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

RESTART_S = 0.2
"""systemd waits ``RestartSec``; here less, so that tests are short."""


class Supervised:
    """``argv`` as a process, from now on. Its standard input closes with this one, so that none is left behind."""

    def __init__(self, name: str, argv: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.name, self.starts = name, 0
        self.exit_codes: list[int] = []
        """How its earlier starts ended; below zero: by this signal."""
        self._argv, self._env, self._log = argv, env, log
        self._ended_s: float | None = None
        self._start()

    @property
    def pid(self) -> int:
        """The process id of the present start."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; after SIGKILL it is gone on return."""
        self._process.send_signal(number)
        if number is signal.SIGKILL:
            self._process.wait()

    def trainer(self) -> int | None:
        """The process id of its trainer."""
        children = psutil.Process(self.pid).children()
        return next((child.pid for child in children if "agents.worker" in " ".join(child.cmdline())), None)

    def tend(self) -> None:
        """Start it again, a moment after it ended."""
        if (code := self._process.poll()) is None:
            return
        if self._ended_s is None:
            self._ended_s = time.monotonic()
            self.exit_codes.append(code)
        if time.monotonic() - self._ended_s >= RESTART_S:
            self._close()
            self._start()

    def end(self) -> None:
        """Kill it for good."""
        self._process.kill()
        self._process.wait()
        self._close()

    def said(self) -> str:
        """What all its starts printed."""
        return self._log.read_text(errors="replace")

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv, env=self._env, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        self._ended_s = None
        self.starts += 1

    def _close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
