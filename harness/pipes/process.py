"""A trainer process as its parent sees it: started, given orders, listened to, and how it died in words."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from harness.pipes.frames import OOM, Frame, FrameBuffer, pack

AnswerT = TypeVar("AnswerT")
READ_BYTES = 65536
TAIL_BYTES = 4096
DYING_S = 5.0
VMSTAT = Path("/proc/vmstat")
"""Counts the processes that the kernel killed for want of memory, in any memory cgroup, as ``oom_kill``."""
OOM_SCORE_ADJ = 800
"""Of -1000 to 1000. Where memory runs out the kernel takes the trainer, and not the shell that tells of it."""


def pinned(threads: int) -> dict[str, str]:
    """Variables of an environment in which numeric libraries have so many threads from their start."""
    counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    return {**counts, "TOKENIZERS_PARALLELISM": "false"}


class TrainerProcess(Generic[AnswerT]):
    """A running trainer process. Its stderr goes to ``log``; ``fd`` can be read when it has something to say.

    ``read_answer`` makes an answer of a frame. Numeric libraries have ``threads`` threads from their start.
    """

    def __init__(
        self,
        threads: int,
        log: Path,
        command: Sequence[str],
        read_answer: Callable[[bytes], AnswerT],
        vmstat: Path = VMSTAT,
    ) -> None:
        self.threads = threads
        self._read_answer = read_answer
        self._log, self._vmstat = log, vmstat
        self._oom_kills = _oom_kills(vmstat)
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, **pinned(threads)},
                bufsize=0,
                # A Ctrl-C on the terminal is the parent's to handle; it ends its trainer itself.
                start_new_session=True,
            )
        # A container may forbid it; then the kernel chooses as it will.
        with contextlib.suppress(OSError):
            Path(f"/proc/{self._process.pid}/oom_score_adj").write_text(str(OOM_SCORE_ADJ))
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

    def order(self, order: Frame) -> None:
        """Give an order. A process that is gone already is noticed when :meth:`read` finds its end."""
        try:
            self._stdin.write(pack(order))
        except BrokenPipeError:
            return

    def read(self) -> tuple[list[AnswerT], bool]:
        """Answers that are there, and whether the process has ended.

        Raises:
            TrainerError: what it said is no answer.
        """
        try:
            data = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return [], False
        return [self._read_answer(body) for body in self._buffer.feed(data)], not data

    def end(self) -> str:
        """Make sure it is gone, and say how it ended; nothing in it is worth a farewell."""
        self._process.kill()  # does nothing to a process that was waited for
        code = self._process.wait()
        self._stdin.close()
        self._stdout.close()
        oom = code == -signal.SIGKILL and _oom_kills(self._vmstat) > self._oom_kills
        return f"{OOM if oom else ''}{_in_words(code, self._last_line(), oom)}"

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


def _in_words(code: int, last_line: str, oom: bool) -> str:
    said = f"; it said: {last_line}" if last_line else ""
    if code < 0:
        memory = ": the kernel ran out of memory" if oom else ""
        return f"the trainer was killed by signal {-code}{memory}{said}"
    return f"the trainer ended with exit code {code}{said}"


def _oom_kills(vmstat: Path) -> int:
    """How many processes the kernel killed for want of memory so far; 0 where it does not count them."""
    try:
        lines = vmstat.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
