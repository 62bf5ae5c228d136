"""When a client's task and its phases were, on the run's clock. Pure.

A task is placed by the stamps and clock offsets that its agent told. Where there are none it is placed by the moment at
which its update was received, with its phases in their usual order: that is said of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.records import ClientRecord
from harness.timeline import Offset, Timeline

PHASES = ("download", "load", "train", "serialise", "upload")
"""In the order in which a client goes through them."""
BEFORE_S = 1.0
"""Further before a run's begin, by more than its uncertainty, no task of it lies."""
FARTHEST_S = 1e9
"""Thirty years: no run lasts so long."""
MOST_DRIFT = 1e-3
"""Seconds a second by which no two clocks drift apart: offsets that differ by more do so by their uncertainty."""


@dataclass(frozen=True)
class Span:
    """A name and its time on the run's clock; ``seconds`` is the duration that was measured for it."""

    name: str
    begin_s: float
    end_s: float
    seconds: float


@dataclass(frozen=True)
class Task:
    """A client's task at an agent. Phases lie in it, one after the other.

    ``uncertainty_s`` is how far all of it may be off, None where that is not known; ``stamped`` says whether agents'
    stamps placed it, or the arrival of its update.
    """

    record: ClientRecord
    begin_s: float
    end_s: float
    phases: tuple[Span, ...]
    uncertainty_s: float | None
    stamped: bool

    @property
    def name(self) -> str:
        """What people read on it."""
        return f"client {self.record.client}, round {self.record.round}"


def task_of(record: ClientRecord, received_s: float | None) -> Task | None:
    """The task of an accepted update; None where neither offsets nor the moment of its arrival are known."""
    line = record.timeline
    if line is not None and (placed := _placement(line, record.total_s)) is not None:
        offset_begin_s, offset_end_s, uncertainty_s = placed
        begin_s = line.arrived_s + offset_begin_s
        end_s = line.arrived_s + record.total_s + offset_end_s
        if -uncertainty_s - BEFORE_S <= begin_s <= end_s <= FARTHEST_S:  # else the stamps are of no run's clock
            return Task(record, begin_s, end_s, _phases(record, begin_s, end_s, line.phase_at_s), uncertainty_s, True)
    if received_s is None:
        return None
    begin_s = received_s - record.total_s
    at_s = line.phase_at_s if line is not None else {}
    return Task(record, begin_s, received_s, _phases(record, begin_s, received_s, at_s), None, False)


def _placement(line: Timeline, total_s: float) -> tuple[float, float, float] | None:
    """Offsets at a task's begin and end, and their uncertainty.

    Clocks drift, so the one offset holds near the download and the other near the upload; but two offsets that are
    further apart than clocks drift tell of their own uncertainty, and the better one is taken for both.
    """
    known = [offset for offset in (line.download, line.upload) if offset is not None]
    if not known:
        return None
    best: Offset = min(known, key=lambda offset: offset.uncertainty_s)
    if len(known) == 2 and abs(known[1].offset_s - known[0].offset_s) <= MOST_DRIFT * total_s:
        return known[0].offset_s, known[1].offset_s, max(offset.uncertainty_s for offset in known)
    return best.offset_s, best.offset_s, best.uncertainty_s


def _phases(record: ClientRecord, begin_s: float, end_s: float, at_s: dict[str, float]) -> tuple[Span, ...]:
    """The phases of a task between its begin and end: each from its stamp on, else from the end of the one before.

    One that would run into the next, by the resolution of clocks, ends where that begins. Phases that took no time, or
    were not done again after a restart, are left out.
    """
    stretch = (end_s - begin_s) / record.total_s if record.total_s > 0 else 1.0  # by the drift of the clocks
    starts: list[tuple[str, float, float]] = []
    begun_s = done_s = 0.0
    for phase in PHASES:
        seconds = float(getattr(record, f"{phase}_s"))
        if seconds > 0:
            begun_s = min(max(begun_s, at_s.get(phase, done_s)), record.total_s)
            done_s = begun_s + seconds
            starts.append((phase, begun_s, seconds))
    ends = [*(start_s for _, start_s, _ in starts[1:]), record.total_s]
    return tuple(
        Span(phase, begin_s + stretch * start_s, begin_s + stretch * min(start_s + seconds, next_s), seconds)
        for (phase, start_s, seconds), next_s in zip(starts, ends, strict=False)
    )


def later(task: Task, begin_s: float) -> Task:
    """The task with what lies before ``begin_s`` cut off."""
    if begin_s < task.begin_s:
        return task
    phases = tuple(
        Span(span.name, max(span.begin_s, begin_s), span.end_s, span.seconds)
        for span in task.phases
        if span.end_s > begin_s
    )
    return Task(task.record, max(task.begin_s, begin_s), task.end_s, phases, task.uncertainty_s, task.stamped)
