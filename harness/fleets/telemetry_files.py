"""The samples of a run while it goes on: a file for each agent, which is appended to. A line is there whole or not at
all.

Samples stand beside the results: where the disk takes no more of them they are counted as lost, and the run goes on.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union

import msgspec

from harness.durable import append_whole
from harness.timeline import Offset

log = logging.getLogger(__name__)

_encoder = msgspec.json.Encoder()
FOLDER = "telemetry"
MOST_BYTES = 2 * 1024**3
"""Of one agent in one run: 40 values ten times a second for a week."""
LONGEST_LINE_BYTES = 1024 * 1024
"""A message holds at most 4,000 values."""


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="line"):
    """Base of the lines of a file."""


class Begun(Line, frozen=True, kw_only=True, tag="begun"):
    """The agent came, at ``run_s`` of the run's clock; ``since_s`` is that clock as this controller began.

    What is known of the agent's clock from before is of no use from here on: it may be of another start of its machine,
    and the run's clock stood still while no controller ran.
    """

    run_s: float
    since_s: float


class Compared(Line, frozen=True, kw_only=True, tag="compared"):
    """The agent's clock and the run's, at ``at_s`` of the agent's."""

    at_s: float
    offset: Offset


class Samples(Line, frozen=True, kw_only=True, tag="samples"):
    """Rows of one source, as they came at ``run_s`` of the run's clock; the first field is ``at_s``."""

    run_s: float
    source: str
    fields: tuple[str, ...]
    rows: tuple[tuple[float | None, ...], ...]


AnyLine = Union[Begun, Compared, Samples]


class TelemetryFiles:
    """The files of one run, below ``run``; for its controller alone."""

    def __init__(self, run: Path) -> None:
        self._folder = run / FOLDER
        self._paths: dict[str, Path] = {}
        self._sizes_bytes: dict[str, int] = {}
        self.lost: Counter[str] = Counter()
        """Lines that could not be written, by agent."""

    def append(self, agent: str, *lines: AnyLine) -> None:
        """Keep lines, in one step; those that the disk does not take are counted, and told of in the log the first
        time.
        """
        data = _encoder.encode_lines(lines)
        try:
            if agent not in self._paths:
                path = self._folder / f"{agent}.jsonl"
                self._sizes_bytes[agent], self._paths[agent] = _whole_lines(path), path
            if self._sizes_bytes[agent] + len(data) > MOST_BYTES:
                self._lose(agent, len(lines), f"there are {MOST_BYTES >> 20} MiB of it already")
                return
            append_whole(self._paths[agent], data)
            self._sizes_bytes[agent] += len(data)
        except OSError as error:
            self._lose(agent, len(lines), error.strerror or "the system refused")

    def _lose(self, agent: str, count: int, why: str) -> None:
        told, self.lost[agent] = self.lost[agent] > 0, self.lost[agent] + count
        if not told:
            log.warning("telemetry of %s could not be kept (%s); the run goes on without it", agent, why)


def _whole_lines(path: Path) -> int:
    """Make the file ready to be appended to, without the line that a loss of power tore; its size in bytes."""
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        return 0
    with path.open("r+b") as file:
        size_bytes = file.seek(0, 2)
        begin = max(0, size_bytes - LONGEST_LINE_BYTES)
        file.seek(begin)
        whole_bytes = begin + file.read().rfind(b"\n") + 1
        if whole_bytes < size_bytes:
            file.truncate(whole_bytes)
    return whole_bytes


def files_of(run: Path) -> dict[str, Path]:
    """The files of a run by agent, in the order of their names."""
    return {path.stem: path for path in sorted((run / FOLDER).glob("*.jsonl"))}


def lines_of(path: Path) -> Iterator[AnyLine]:
    """The lines of a file, one after another; what a loss of power tore, or anything else damaged, is passed over."""
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyLine)
    with path.open("rb") as file:
        for number, data in enumerate(file, start=1):
            try:
                yield decoder.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                log.warning("%s, line %d is damaged and left out: %s", path, number, error)
