"""What happened when in a run: its rounds, each agent's tasks and waits, and what else befell it. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from analysis.happened import Happened
from analysis.load import Run
from analysis.trace.spans import Span, Task, later, task_of
from harness.records import RoundRecord

LEAST_WAIT_S = 1e-3
WAIT, NO_UPDATE = "wait", "no update"
"""What an agent does in an open round without a task of which an update was accepted.

It waits; or, as far as the records tell, has a task that failed, came late, was lost with it or was not needed.
"""
BREAKS = ("task-failed", "update-late", "agent-lost")
"""Events that end a task without an update."""


@dataclass(frozen=True)
class RoundSpan:
    """A closed round on the run's clock: from its opening to the new state, which the aggregation makes."""

    record: RoundRecord
    begin_s: float
    end_s: float

    @property
    def aggregate(self) -> Span:
        """Its end."""
        seconds = self.record.aggregate_s
        return Span("aggregate", max(self.begin_s, self.end_s - seconds), self.end_s, seconds)


@dataclass(frozen=True)
class Lane:
    """What an agent did: tasks one after the other, none over another.

    Most agents have one lane; more are needed where stamps contradict each other by more than their uncertainty.
    """

    tasks: tuple[Task, ...]
    waits: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Course:
    """A run over time. ``agents`` have their lanes, by name; ``unplaced`` updates are those that nothing places."""

    rounds: tuple[RoundSpan, ...]
    agents: dict[str, tuple[Lane, ...]]
    events: tuple[Happened, ...] = ()
    unplaced: int = 0
    evaluations: tuple[Span, ...] = field(default=())

    @property
    def estimated(self) -> int:
        """Tasks that their arrival places, and no stamps of their agents."""
        return sum(not task.stamped for lanes in self.agents.values() for lane in lanes for task in lane.tasks)


def course_of(run: Run) -> Course:
    """The course of a run. One without events has no rounds on the run's clock, and only tasks that stamps place."""
    received = {
        (event.record.round, event.record.client): event.at_s
        for event in run.events
        if event.event == "update-received" and event.record is not None
    }
    placed = [task_of(client, received.get((client.round, client.client))) for client in run.clients]
    tasks: defaultdict[str, list[Task]] = defaultdict(list)
    for task in placed:
        if task is not None:
            tasks[task.record.agent].append(task)
    rounds = tuple(_rounds(run))
    present, broken = _present(run.events), _broken(run.events)
    agents = {
        agent: lanes(tasks[agent], rounds, present.get(agent, ()), broken.get(agent, ()))
        for agent in _names(run, tasks)
    }
    return Course(rounds, agents, run.events, placed.count(None), tuple(_evaluations(run.events, rounds)))


def lanes(
    tasks: Sequence[Task],
    rounds: Sequence[RoundSpan],
    present: Sequence[tuple[float, float]],
    broken: Sequence[float] = (),
) -> tuple[Lane, ...]:
    """An agent's tasks by their begin. One that begins before another's end is cut by as much as stamps are uncertain;
    one that would lose more goes onto a lane of its own. Waits stand on the first lane.

    ``present`` is when the agent was there, ``broken`` when a task of it ended without an update.
    """
    found: list[list[Task]] = [[]]
    for task in sorted(tasks, key=lambda each: (each.begin_s, each.end_s)):
        for lane in found:
            doubt_s = (task.uncertainty_s or 0.0) + (lane[-1].uncertainty_s or 0.0 if lane else 0.0) + LEAST_WAIT_S
            free_s = lane[-1].end_s if lane else task.begin_s
            if free_s - task.begin_s <= doubt_s and free_s <= task.end_s:
                lane.append(later(task, free_s))
                break
        else:
            found.append([task])
    gaps = [gap for span in rounds for there in present for gap in _gaps(found[0], span, there, broken)]
    return tuple(Lane(tuple(lane), tuple(gaps) if place == 0 else ()) for place, lane in enumerate(found))


def _names(run: Run, tasks: Iterable[str]) -> list[str]:
    joined = (event.agent for event in run.events if event.event == "agent-joined")
    return sorted({*run.header.agents, *tasks, *joined}, key=_natural)


def _natural(name: str) -> tuple[str, int, str]:
    """agent-2 before agent-10."""
    head, _, number = name.rpartition("-")
    return (head, int(number), "") if number.isascii() and number.isdigit() else (name, 0, "")


def _rounds(run: Run) -> Iterable[RoundSpan]:
    """Closed rounds: each ended with its new state, and began as long before as it took by the wall."""
    ends = {event.round: event.at_s for event in run.events if event.event == "aggregated"}
    free_s = 0.0
    for record in run.rounds:
        if (end_s := ends.get(record.round)) is not None:
            span = RoundSpan(record, min(end_s, max(free_s, end_s - record.wall_s)), end_s)
            free_s = span.end_s
            yield span


def _evaluations(events: Iterable[Happened], rounds: Sequence[RoundSpan]) -> Iterable[Span]:
    """Evaluations are off the benchmark clock: after their round, or beside the next one."""
    ends = {span.record.round: span.end_s for span in rounds}
    for event in events:
        if event.event == "evaluated" and event.round in ends:
            seconds = event.evaluate_s or 0.0
            begin_s = max(ends[event.round], event.at_s - seconds)
            yield Span(f"evaluate round {event.round}", begin_s, max(begin_s, event.at_s), seconds)


def _present(events: Sequence[Happened]) -> dict[str, tuple[tuple[float, float], ...]]:
    """When each agent was there: from its joining to its loss, or the last event; a new controller begins anew."""
    last_s = events[-1].at_s if events else 0.0
    since: dict[str, float] = {}
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for event in events:
        left = [event.agent] if event.event == "agent-lost" else list(since) * (event.event == "controller-resumed")
        for agent in left:
            if agent in since:
                found[agent].append((since.pop(agent), event.at_s))
        if event.event == "agent-joined":
            since.setdefault(event.agent, event.at_s)
    for agent, begin_s in since.items():
        found[agent].append((begin_s, last_s))
    return {agent: tuple(spans) for agent, spans in found.items()}


def _broken(events: Iterable[Happened]) -> dict[str, tuple[float, ...]]:
    """When a task of each agent ended without an update, as far as that is known."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for event in events:
        if event.event in BREAKS:
            found[event.agent].append(event.at_s)
    return {agent: tuple(moments) for agent, moments in found.items()}


def _gaps(
    tasks: Sequence[Task], span: RoundSpan, there: tuple[float, float], broken: Sequence[float]
) -> Iterable[Span]:
    """What of an open round an agent was there and had no task that gave an update."""
    free_s, end_s = max(span.begin_s, there[0]), min(span.end_s, there[1])
    first = bisect_right(tasks, free_s, key=lambda task: task.end_s)
    for task in tasks[first:]:
        if free_s >= end_s or task.begin_s >= end_s:
            break
        yield from _gap(span, free_s, task.begin_s, broken)
        free_s = max(free_s, task.end_s)
    yield from _gap(span, free_s, end_s, broken)


def _gap(span: RoundSpan, begin_s: float, end_s: float, broken: Sequence[float]) -> Iterable[Span]:
    """A gap, up to the last task in it that broke apart from the rest; all of it where spare clients were trained."""
    last_s = max((at_s for at_s in broken if begin_s < at_s <= end_s), default=begin_s)
    last_s = end_s if span.record.spare else last_s
    for name, from_s, until_s in ((NO_UPDATE, begin_s, last_s), (WAIT, last_s, end_s)):
        if until_s - from_s > LEAST_WAIT_S:
            yield Span(name, from_s, until_s, until_s - from_s)
