"""The sampler process: ``python -m harness.sensors.sampler --hz 10`` writes what it reads to stdout, a line at a time.

The first line, in braces, says what is read; one in brackets is a row of samples. It ends when nobody reads it. It
imports neither torch nor msgspec: it starts in a blink and takes a few megabytes.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from typing import Any

from harness.sensors.fields import AT, TOTAL
from harness.sensors.pace import SLOW_HZ, every, next_tick
from harness.sensors.sources import Source, open_source

SOURCES = ("auto", "ina3221", "jtop", "nvml", "psutil")
FACTS_S = 1.0
"""How often to look whether the power mode, or another fact, has changed."""


class Reader:
    """Reads a source, and says it in lines."""

    def __init__(self, source: Source, hz: float) -> None:
        self._source = source
        self._slow_every = every(hz, SLOW_HZ)
        self._samples = 0
        self._said: dict[str, Any] = {}
        self._facts: dict[str, Any] = source.facts()
        self._facts_at_s = time.monotonic()

    def lines(self) -> list[str]:
        """What is to be said at this moment: a row, and before it the layout where that is new."""
        begin_s = time.monotonic()
        fast = self._source.read_fast()
        # A value is of the middle of the time that reading it took.
        at_s = (begin_s + time.monotonic()) / 2
        if begin_s - self._facts_at_s >= FACTS_S:
            self._facts, self._facts_at_s = self._source.facts(), begin_s
        rows = [] if fast is None else self._row(at_s, fast)
        return [*self._layout(), *(json.dumps(row) for row in rows)]

    def _row(self, at_s: float, fast: Sequence[float | None]) -> list[Sequence[float | None]]:
        """A row; none where there is nothing to read this time."""
        is_due = self._samples % self._slow_every == 0
        self._samples += 1
        if not is_due and not self._source.fast:
            return []
        slow = self._source.read_slow() if is_due else [None] * len(self._source.slow)
        return [[at_s, *fast, *slow]]

    def _layout(self) -> list[str]:
        source = self._source
        layout = {
            "source": source.name,
            "fields": [AT, TOTAL, *source.fast, *source.slow],
            "total": source.total.rails,
            "missing": source.total.missing,
            "gap_s": source.gap_s,
            "facts": self._facts,
        }
        if layout == self._said:
            return []
        self._said = layout
        return [json.dumps(layout)]


def main() -> None:
    """Sample until nobody reads."""
    options = _parser().parse_args()
    # Libraries print: whatever they say goes to stderr and is not taken for a row.
    out = os.dup(1)
    os.dup2(2, 1)
    reader = Reader(open_source(options.source, options.root.rstrip("/"), options.hz), options.hz)
    start_s = time.monotonic()
    try:
        while True:
            for line in reader.lines():
                os.write(out, f"{line}\n".encode())
            now_s = time.monotonic()
            time.sleep(next_tick(start_s, options.hz, now_s) - now_s)
    except (BrokenPipeError, KeyboardInterrupt):
        return


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Reads a device's sensors and writes rows of samples, as JSON lines.")
    parser.add_argument("--root", default="/", help="the folder in which sys, proc and etc are")
    parser.add_argument("--hz", type=float, default=10.0, help="samples in a second")
    parser.add_argument("--source", choices=SOURCES, default="auto", help="what to read; auto: the first that is there")
    return parser


if __name__ == "__main__":
    main()
