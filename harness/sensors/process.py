"""The sampler process as an agent or a controller sees it: started, listened to, started again, asked for windows."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from harness.protocol.beside import MAX_TELEMETRY_VALUES, Telemetry
from harness.sensors.series import KEPT_ROWS, Layout, Row, Series
from harness.sensors.summary import mean_w, vitals
from harness.vitals import Vitals

MODULE = "harness.sensors.sampler"
READ_BYTES = 2**18
PIPE_BYTES = 2**20
"""Ten minutes of rows: who reads them may be busy for so long, and no sample is lost. Linux gives it to any user."""

FAST_DEATHS = 5
"""So many samplers that ended without a row, one after the other, and no other one is started."""


class Sampler:
    """A sampler process, its rows, and what they say of a window of time. ``root`` is "/", or a made tree's folder."""

    def __init__(self, root: Path, hz: float, source: str, env: Mapping[str, str] | None) -> None:
        self._command = (sys.executable, "-m", MODULE, "--root", str(root), "--hz", repr(hz), "--source", source)
        self._env = dict(os.environ if env is None else env)
        self._poll = select.epoll()
        self._series: list[Series] = []
        self._idle_w: float | None = None
        self._pending: deque[tuple[Layout, Row]] = deque(maxlen=KEPT_ROWS)
        self._partial, self._deaths = b"", 0
        self._process: subprocess.Popen[bytes] | None = self._begin()

    @classmethod
    def start(
        cls, root: Path, hz: float, *, source: str = "auto", env: Mapping[str, str] | None = None
    ) -> Sampler | None:
        """Start sampling ``hz`` times a second; None where nothing is to be sampled (0).

        ``source`` "auto" takes the first that is there of "ina3221", "jtop", "nvml", "psutil".
        """
        return cls(root, hz, source, env) if hz > 0 else None

    @property
    def fd(self) -> int:
        """To wait on, the same as long as this object lives: readable when :meth:`read` has something to do."""
        return self._poll.fileno()

    @property
    def pid(self) -> int | None:
        """The process that samples now; None: it ended too often, and is not started again."""
        return self._process.pid if self._process else None

    def read(self) -> list[Telemetry]:
        """Take what came, without waiting; a process that ended is started again. Returns what came as messages."""
        self._take()
        pending = list(self._pending)
        self._pending.clear()
        return _messages(pending)

    def window(self, begin_s: float, end_s: float) -> Vitals | None:
        """What the sensors told between two moments of ``time.monotonic()``; None: the window has no length."""
        if end_s <= begin_s:
            return None
        self._take()
        series = next((one for one in reversed(self._series) if one.begin_s is not None and one.begin_s < end_s), None)
        return vitals(series or Series(Layout(source=self._source(), fields=())), begin_s, end_s, self._idle_w)

    def idle(self, begin_s: float, end_s: float) -> float | None:
        """What the device took in the mean while it did nothing, in watts; later windows carry it. None: unknown."""
        self._take()
        self._idle_w = mean_w(self._series[-1], begin_s, end_s) if self._series else None
        return self._idle_w

    def describe(self, wait_s: float = 0.0) -> dict[str, Any]:
        """What is read, and of which device: source, rails, total, missing, gap_s, and the sampler's facts.

        Before the sampler's first words the source is "none"; ``wait_s`` is how long to wait for them.
        """
        if self._process and not self._series:
            self._poll.poll(wait_s)
        self._take()
        layout = self._series[-1].layout if self._series else Layout(source="none", fields=())
        words: dict[str, Any] = msgspec.to_builtins(layout)
        return {**words.pop("facts"), **words}

    def close(self) -> None:
        """End the process; what was read can still be asked for, and :attr:`fd` is gone."""
        self._end()
        self._poll.close()

    def _source(self) -> str:
        return self._series[-1].layout.source if self._series else "none"

    def _begin(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=self._env,
            bufsize=0,
            # A Ctrl-C on the terminal is its parent's to handle; it ends when nobody reads what it writes.
            start_new_session=True,
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        fcntl.fcntl(process.stdout.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._poll.register(process.stdout.fileno(), select.EPOLLIN)
        self._partial = b""
        return process

    def _end(self) -> None:
        if self._process and self._process.stdout:
            self._process.kill()  # does nothing to one that was waited for
            self._poll.unregister(self._process.stdout.fileno())
            self._process.stdout.close()
            self._process.wait()
        self._process = None

    def _take(self) -> None:
        while self._process and self._process.stdout:
            try:
                data = os.read(self._process.stdout.fileno(), READ_BYTES)
            except BlockingIOError:
                return
            if data:
                self._feed(data)
            else:
                self._again()

    def _again(self) -> None:
        """The process ended, whatever ended it: another one goes on, and the time between is a gap."""
        self._end()
        self._deaths += 1
        if self._deaths < FAST_DEATHS:
            self._process = self._begin()

    def _feed(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            # What is no line of a sampler is left out: it leaves a gap, where it was to be a row.
            with suppress(msgspec.DecodeError):
                if line.startswith(b"{"):
                    self._laid_out(msgspec.json.decode(line, type=Layout))
                else:
                    self._row(msgspec.json.decode(line, type=Row))

    def _laid_out(self, layout: Layout) -> None:
        if self._series and self._series[-1].layout.fields == layout.fields:
            self._series[-1].layout = layout
        else:
            self._series.append(Series(layout))

    def _row(self, row: Row) -> None:
        if self._series and self._series[-1].add(row):
            self._deaths = 0
            self._pending.append((self._series[-1].layout, row))


def _messages(pending: list[tuple[Layout, Row]]) -> list[Telemetry]:
    """Rows as messages of one set of fields each, and of at most as many values as a message may have."""
    messages: list[Telemetry] = []
    while pending:
        layout = pending[0][0]
        most = max(1, MAX_TELEMETRY_VALUES // len(layout.fields))
        same = next((n for n, (one, _) in enumerate(pending) if one.fields != layout.fields), len(pending))
        taken, pending = pending[: min(most, same)], pending[min(most, same) :]
        messages.append(Telemetry(source=layout.source, fields=layout.fields, rows=tuple(row for _, row in taken)))
    return messages
