"""A run as trace events, the JSON that ui.perfetto.dev and chrome://tracing open. Pure.

Format: "Trace Event Format" (Google, 2016). A process for the controller and one for each agent, named by metadata (M);
what takes time are complete events (X), which on a track nest or follow each other; what happens at a moment is an
instant event (i); power is a counter (C). ``ts`` and ``dur`` are whole microseconds of the run's clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.devices import CONTROLLER
from analysis.happened import Happened
from analysis.load import Run
from analysis.trace.course import Course, Lane, course_of
from analysis.trace.power import Power, thinned
from analysis.trace.spans import FARTHEST_S, Span, Task

CONTROLLER_PID, FIRST_AGENT_PID = 1, 2
ROUNDS_TID, EVALUATIONS_TID, FIRST_LANE_TID, PREPARATION_TID = 1, 2, 1, 100
TIMED = ("aggregated", "evaluated", "update-received")
"""Events that spans show already."""
BY_STAMPS, BY_ARRIVAL = "stamps of the agent", "the arrival of its update"

Event = dict[str, Any]


def trace_of(run: Run, power: Mapping[str, Power]) -> dict[str, Any]:
    """The whole file of a run; ``power`` is by agent."""
    course = course_of(run)
    strangers = sorted(name for name in power if name != CONTROLLER and name not in course.agents)
    lanes = course.agents | dict.fromkeys(strangers, ())
    pids = {agent: FIRST_AGENT_PID + place for place, agent in enumerate(lanes)}
    events = [*_controller(run, course)]
    for agent, pid in pids.items():
        events += _agent(agent, pid, lanes[agent])
        events += _preparation(pid, [each for each in course.events if each.agent == agent])
    events += (each for event in course.events for each in _instant(event, pids))
    for agent, samples in power.items():
        events += _counters(pids.get(agent, CONTROLLER_PID), thinned(samples))
    return {"traceEvents": events, "displayTimeUnit": "ms", "otherData": _about(run, course)}


def _about(run: Run, course: Course) -> dict[str, Any]:
    """What the reader of the file should know. Perfetto shows it as the trace's metadata."""
    placed = sum(len(lane.tasks) for lanes in course.agents.values() for lane in lanes)
    return {
        "run": run.header.run_id,
        "method": run.header.method,
        "seed": run.header.seed,
        "clock": "seconds since the run was opened, standing still while no controller ran",
        "tasks": placed,
        "tasks_placed_by_arrival": course.estimated,
        "tasks_left_out": course.unplaced,
    }


def _controller(run: Run, course: Course) -> Iterator[Event]:
    yield from _process(CONTROLLER_PID, CONTROLLER)
    yield _thread(CONTROLLER_PID, ROUNDS_TID, "rounds")
    for span in course.rounds:
        record = span.record
        args = {
            "completed": len(record.completed),
            "failed": len(record.failed),
            "elapsed_s": record.elapsed_s,
            "round_s": record.round_s,
            "state_sha256": record.state_sha256,
            **record.metrics,
        }
        at = CONTROLLER_PID, ROUNDS_TID
        whole = Span(f"round {record.round}", span.begin_s, span.end_s, record.wall_s)
        yield _complete(whole, *at, "round", args)
        if record.aggregate_s > 0:
            yield _complete(span.aggregate, *at, "aggregate")
    if course.evaluations:
        # A track of their own: one may lie beside the next round, and only what is nested shares a track.
        yield _thread(CONTROLLER_PID, EVALUATIONS_TID, "evaluations")
    for evaluation in course.evaluations:
        yield _complete(evaluation, CONTROLLER_PID, EVALUATIONS_TID, "evaluate")


def _agent(agent: str, pid: int, lanes: Sequence[Lane]) -> Iterator[Event]:
    yield from _process(pid, agent)
    for place, lane in enumerate(lanes):
        tid = FIRST_LANE_TID + place
        words = "tasks" if any(task.stamped for task in lane.tasks) or not lane.tasks else "tasks, by arrival"
        yield _thread(pid, tid, words if place == 0 else f"{words}, {place + 1}")
        for task in lane.tasks:
            yield from _task(task, pid, tid)
        for wait in lane.waits:
            yield _complete(wait, pid, tid, "wait")


def _task(task: Task, pid: int, tid: int) -> Iterator[Event]:
    record = task.record
    args = {
        "round": record.round,
        "client": record.client,
        "attempt": record.attempt,
        "placed_by": BY_STAMPS if task.stamped else BY_ARRIVAL,
        "uncertainty_s": task.uncertainty_s,
        "samples": record.samples,
        "other_s": record.other_s,
        "energy_j": record.energy_j,
        "breaks": record.breaks,
        "warm_up": record.warm_up,
    }
    yield _complete(Span(task.name, task.begin_s, task.end_s, record.total_s), pid, tid, "task", args)
    extra: dict[str, dict[str, float | None]] = {
        "download": {"bytes": record.download_bytes, "bps": record.download_bps},
        "upload": {"bytes": record.upload_bytes, "bps": record.upload_bps},
        "train": {"steps": record.steps, "tokens": record.tokens, "loss": record.loss},
    }
    for phase in task.phases:
        yield _complete(phase, pid, tid, "phase", extra.get(phase.name, {}) | {"uncertainty_s": task.uncertainty_s})


def _preparation(pid: int, events: Sequence[Happened]) -> Iterator[Event]:
    """What an agent fetched before it was ready, on a track of its own: its end is known, its parts follow another."""
    free_s, named = 0.0, False
    for event in events:
        if event.event != "agent-joined":
            continue
        ship_s, provision_s = event.ship_s or 0.0, event.provision_s or 0.0
        middle_s = max(free_s, event.at_s - ship_s)
        begin_s = max(free_s, middle_s - provision_s)
        parts = (Span("provision", begin_s, middle_s, provision_s), Span("ship", middle_s, event.at_s, ship_s))
        for part in parts:
            if part.end_s > part.begin_s:
                if not named:
                    yield _thread(pid, PREPARATION_TID, "preparation")
                    named = True
                yield _complete(part, pid, PREPARATION_TID, "preparation", {"placed_by": "the moment of joining"})
        free_s = max(free_s, event.at_s)


def _instant(event: Happened, pids: Mapping[str, int]) -> Iterator[Event]:
    """A moment: on its agent's track, or over all of them where it is the run's."""
    if event.event in TIMED:
        return
    pid = pids.get(event.agent, CONTROLLER_PID)
    told = {"reason": event.reason, "host": event.host, "svd_s": event.svd_s}
    args = {key: value for key, value in told.items() if value not in (None, "")}
    args |= {key: value for key in ("round", "client", "attempt") if (value := getattr(event, key)) is not None}
    yield {
        "name": event.event.replace("-", " "),
        "cat": "event",
        "ph": "i",
        "ts": _us(event.at_s),
        "pid": pid,
        "tid": ROUNDS_TID if pid == CONTROLLER_PID else FIRST_LANE_TID,
        "s": "g" if event.event == "controller-resumed" else "t",
        "args": args,
    }


def _counters(pid: int, power: Power) -> Iterator[Event]:
    """A counter for each rail: one event has the values of all its series, and not every rail is read each time."""
    for rail, values in power.watts.items():
        for at_s, watts in zip(power.at_s, values, strict=True):
            if watts is not None:
                name = "power, W" if rail == "total" else f"power of {rail}, W"
                yield {"name": name, "ph": "C", "ts": _us(at_s), "pid": pid, "tid": 0, "args": {"W": watts}}


def _complete(span: Span, pid: int, tid: int, category: str, args: Mapping[str, Any] | None = None) -> Event:
    begin, end = _us(span.begin_s), _us(span.end_s)
    return {
        "name": span.name,
        "cat": category,
        "ph": "X",
        "ts": begin,
        "dur": end - begin,
        "pid": pid,
        "tid": tid,
        "args": {"seconds": span.seconds, **(args or {})},
    }


def _process(pid: int, name: str) -> Iterator[Event]:
    yield {"name": "process_name", "ph": "M", "pid": pid, "tid": 0, "args": {"name": name}}
    yield {"name": "process_sort_index", "ph": "M", "pid": pid, "tid": 0, "args": {"sort_index": pid}}


def _thread(pid: int, tid: int, name: str) -> Event:
    return {"name": "thread_name", "ph": "M", "pid": pid, "tid": tid, "args": {"name": name}}


def _us(seconds: float) -> int:
    """Whole microseconds: what follows each other in seconds does so in them. None is beyond what viewers count."""
    return round(min(max(seconds, -FARTHEST_S), FARTHEST_S) * 1e6)
