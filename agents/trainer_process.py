"""The trainer process as the agent sees it: started, given orders, listened to, and how it died in words."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from agents.frames import Answer, FrameBuffer, Order, answer_of, pack

COMMAND = (sys.executable, "-m", "agents.worker")
READ_BYTES = 65536
TAIL_BYTES = 4096
DYING_S = 5.0


class TrainerProcess:
    """A running trainer process. Its stderr goes to ``log``; ``fd`` can be read when it has something to say."""

    def __init__(self, threads: int, log: Path, command: Sequence[str] = COMMAND) -> None:
        self.threads = threads
        self._log = log
        counts = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, **counts, "TOKENIZERS_PARALLELISM": "false"},
                bufsize=0,
                # A Ctrl-C on the terminal is the agent's to handle; it ends its trainer itself.
                start_new_session=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        os.set_blocking(self._stdout.fileno(), False)
        self._buffer = FrameBuffer()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def fd(self) -> int:
        """To wait on: readable when an answer is there or the process is gone."""
        return self._stdout.fileno()

    def order(self, order: Order) -> None:
        """Give an order. A process that is gone already is noticed when :meth:`read` finds its end."""
        try:
            self._stdin.write(pack(order))
        except BrokenPipeError:
            return

    def read(self) -> tuple[list[Answer], bool]:
        """Answers that are there, and whether the process has ended.

        Raises:
            TrainerError: what it said is no answer.
        """
        try:
            data = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return [], False
        return [answer_of(body) for body in self._buffer.feed(data)], not data

    def end(self) -> str:
        """Make sure it is gone, and say how it ended; nothing in it is worth a farewell."""
        self._process.kill()  # does nothing to a process that was waited for
        code = self._process.wait()
        self._stdin.close()
        self._stdout.close()
        return _in_words(code, self._last_line())

    def died(self) -> str:
        """How a process whose pipe ended died: its end is at hand, and says more than our kill would."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(DYING_S)
        return self.end()

    def _last_line(self) -> str:
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


def _in_words(code: int, last_line: str) -> str:
    said = f"; it said: {last_line}" if last_line else ""
    if code < 0:
        memory = " (out of memory?)" if -code == signal.SIGKILL else ""
        return f"the trainer was killed by signal {-code}{memory}{said}"
    return f"the trainer ended with exit code {code}{said}"
