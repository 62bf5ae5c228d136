"""Chosen rounds over time: a row for each agent, phases in their colours."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import device_runs
import pytest

from analysis.gantt import MOST_AGENTS, chosen_rounds, gantt, gantt_caption
from analysis.palette import PHASES
from analysis.trace.course import Course, RoundSpan, course_of


def test_the_first_the_median_and_the_slowest_round_are_chosen_each_once() -> None:
    spans = [replace(course_of(device_runs.run(rounds=1)).rounds[0])]
    made = course_of(device_runs.run(rounds=5))
    lengths = [3.0, 5.0, 9.0, 4.0, 6.0]
    rounds = tuple(RoundSpan(s.record, 0.0, length) for s, length in zip(made.rounds, lengths, strict=True))
    chosen = chosen_rounds(replace(made, rounds=rounds))
    assert [(each.span.record.round, each.why) for each in chosen] == [(1, "first"), (2, "median"), (3, "slowest")]
    only = chosen_rounds(replace(made, rounds=tuple(spans)))
    assert [each.why for each in only] == ["first, median and slowest"]
    assert chosen_rounds(Course((), {})) == ()


def test_bars_of_an_agent_fill_the_round_and_do_not_cover_each_other() -> None:
    course = course_of(device_runs.run(rounds=2))
    span = course.rounds[0]
    figure = gantt(course, span)
    colours = {phase: colour for phase, _, colour in PHASES}
    by_row: dict[str, list[tuple[float, float]]] = {}
    for trace in figure.data:
        assert trace.marker.color == colours[trace.meta["phase"]]
        for row, base, length in zip(trace.y, trace.base, trace.x, strict=True):
            by_row.setdefault(row, []).append((base, base + length))
    assert list(figure.layout.yaxis.categoryarray) == ["orin-01", "orin-02", "orin-03", "controller"]
    for row in ("orin-01", "orin-02", "orin-03"):
        bars = sorted(by_row[row])
        assert all(before[1] <= after[0] + 1e-9 for before, after in pairwise(bars))
        filled = sum(end - begin for begin, end in bars)
        assert filled == pytest.approx(span.end_s - span.begin_s, rel=0.01)


def test_other_rounds_are_not_in_a_chart() -> None:
    course = course_of(device_runs.run(rounds=3))
    words = [text for trace in gantt(course, course.rounds[1]).data for text in trace.customdata]
    assert all("round 2:" in text for text in words if "client" in text)
    assert any(text.startswith("client") for text in words)


def test_a_caption_says_how_exact_a_chart_is_and_whom_it_leaves_out() -> None:
    made = device_runs.run(rounds=1)
    course = course_of(made)
    assert gantt_caption(course, course.rounds[0]) == "Agents' clocks are known within ±1.60 ms."
    old = course_of(device_runs.without_stamps(made))
    assert gantt_caption(old, old.rounds[0]).startswith("Placed by when updates came in")
    many = course_of(device_runs.run(boards=30, clients=40, rounds=1))
    assert gantt_caption(many, many.rounds[0]).startswith(f"The {MOST_AGENTS} of 30 agents with the longest tasks.")
    assert len(gantt(many, many.rounds[0]).layout.yaxis.categoryarray) == MOST_AGENTS + 1
