"""Plotly figures of chosen rounds over time: what each agent did when, phases in their usual colours. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analysis import units
from analysis.devices import CONTROLLER
from analysis.palette import PHASES
from analysis.plots import blank, plain, rows_downwards
from analysis.trace.course import WAIT, Course, RoundSpan
from analysis.trace.spans import Span, Task

MOST_AGENTS = 24
"""Rows of a chart; of a larger fleet those with the longest tasks of the round."""
ROW_PX = 22
FIELDS = {"download": "download_s", "load": "load_s", "train": "train_s", "upload": "upload_s", WAIT: "wait_s"}
"""The fields of :data:`analysis.palette.PHASES` that a bar belongs to; all others are "other"."""


@dataclass(frozen=True)
class Chosen:
    """A round to draw, and why: "first", "median" and "slowest", or some of these at once."""

    span: RoundSpan
    why: str


@dataclass(frozen=True)
class Bar:
    """A part of an agent's row: seconds from the round's begin, the phase's field, and words on hover."""

    row: str
    field: str
    from_s: float
    until_s: float
    words: str


def chosen_rounds(course: Course) -> tuple[Chosen, ...]:
    """The first round, the one of median length and the slowest, by the wall, in the order of time."""
    if not course.rounds:
        return ()
    by_length = sorted(course.rounds, key=lambda span: (span.end_s - span.begin_s, span.record.round))
    picked = {"first": course.rounds[0], "median": by_length[(len(by_length) - 1) // 2], "slowest": by_length[-1]}
    names: defaultdict[int, list[str]] = defaultdict(list)
    spans = {span.record.round: span for span in picked.values()}
    for why, span in picked.items():
        names[span.record.round].append(why)
    return tuple(Chosen(spans[number], units.listing(names[number])) for number in sorted(names))


def gantt(course: Course, span: RoundSpan) -> go.Figure:
    """A round by agent: seconds since it began, a row for each agent and one for the controller's aggregation."""
    agents = _rows(course, span)
    bars = [bar for agent in agents for bar in _bars(course, agent, span)]
    aggregate = span.aggregate
    bars.append(
        Bar(CONTROLLER, "aggregate_s", aggregate.begin_s - span.begin_s, span.end_s - span.begin_s, "aggregate")
    )
    rows = [*agents, CONTROLLER]
    clock = units.time_unit([span.end_s - span.begin_s])
    figure = blank(f"since the round began, {clock.symbol}", "", height=70 + ROW_PX * len(rows))
    for field, phase, colour in PHASES:
        own = [bar for bar in bars if bar.field == field]
        if own:
            figure.add_trace(
                go.Bar(
                    x=[(bar.until_s - bar.from_s) / clock.divisor for bar in own],
                    base=[bar.from_s / clock.divisor for bar in own],
                    y=[plain(bar.row) for bar in own],
                    orientation="h",
                    name=phase,
                    meta={"phase": field},
                    marker={"color": colour, "line": {"width": 0}},
                    customdata=[f"{plain(bar.words)}, {clock.text(bar.until_s - bar.from_s)}" for bar in own],
                    hovertemplate=f"%{{y}}: %{{customdata}}<br>from %{{base:.4~g}} {clock.symbol}<extra></extra>",
                )
            )
    figure.update_layout(barmode="overlay", bargap=0.3)
    figure.update_xaxes(range=[0, (span.end_s - span.begin_s) / clock.divisor])
    rows_downwards(figure, rows)
    figure.update_yaxes(tickfont={"size": 11})
    return figure


def gantt_caption(course: Course, span: RoundSpan) -> str:
    """What a chart does not say itself: who is left out, how exact it is."""
    tasks = [task for agent in course.agents for task in _tasks(course, agent, span)]
    told = []
    if len(course.agents) > MOST_AGENTS:
        told.append(f"The {MOST_AGENTS} of {units.counted(len(course.agents), 'agent')} with the longest tasks.")
    if any(not task.stamped for task in tasks):
        told.append("Placed by when updates came in, phases in their usual order: agents told no stamps.")
    known_s = [task.uncertainty_s for task in tasks if task.uncertainty_s]
    if known_s:
        told.append(f"Agents' clocks are known within \N{PLUS-MINUS SIGN}{units.significant(1000 * max(known_s))} ms.")
    return " ".join(told)


def _tasks(course: Course, agent: str, span: RoundSpan) -> Sequence[Task]:
    """An agent's tasks of the round itself."""
    return [task for lane in course.agents[agent] for task in lane.tasks if task.record.round == span.record.round]


def _rows(course: Course, span: RoundSpan) -> list[str]:
    """The agents that are drawn, in their order."""
    if len(course.agents) <= MOST_AGENTS:
        return list(course.agents)
    longest = {
        agent: max((task.end_s - task.begin_s for task in _tasks(course, agent, span)), default=0.0)
        for agent in course.agents
    }
    kept = set(sorted(longest, key=lambda agent: -longest[agent])[:MOST_AGENTS])
    return [agent for agent in course.agents if agent in kept]


def _bars(course: Course, agent: str, span: RoundSpan) -> list[Bar]:
    """Phases, what of a task is none, and waits, as far as they lie in the round."""
    bars = []
    for task in _tasks(course, agent, span):
        parts = [*task.phases, *_between(task)]
        bars += [_bar(agent, part, span, f"{task.name}: {part.name}") for part in parts]
    for lane in course.agents[agent]:
        inside = [wait for wait in lane.waits if wait.begin_s < span.end_s and wait.end_s > span.begin_s]
        bars += [_bar(agent, wait, span, wait.name) for wait in inside]
    return [bar for bar in bars if bar.until_s > bar.from_s]


def _bar(agent: str, part: Span, span: RoundSpan, words: str) -> Bar:
    from_s = max(0.0, part.begin_s - span.begin_s)
    until_s = min(part.end_s, span.end_s) - span.begin_s
    return Bar(agent, FIELDS.get(part.name, "other_s"), from_s, until_s, words)


def _between(task: Task) -> list[Span]:
    """The seconds of a task that no phase claims, where they can be seen."""
    edges = [task.begin_s, *(edge for phase in task.phases for edge in (phase.begin_s, phase.end_s)), task.end_s]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    least_s = (task.end_s - task.begin_s) / 500
    return [Span("other", begin_s, end_s, end_s - begin_s) for begin_s, end_s in gaps if end_s - begin_s > least_s]
