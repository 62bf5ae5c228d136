"""The checker of traces finds what it is there to find."""

from __future__ import annotations

from typing import Any

import pytest
from trace_rules import problems

PROCESS = {"name": "process_name", "ph": "M", "pid": 1, "tid": 0, "args": {"name": "a"}}
THREAD = {"name": "thread_name", "ph": "M", "pid": 1, "tid": 1, "args": {"name": "b"}}


def complete(ts: int, dur: int, cat: str = "task", **changes: Any) -> dict[str, Any]:
    return {"name": "x", "cat": cat, "ph": "X", "ts": ts, "dur": dur, "pid": 1, "tid": 1, "args": {}} | changes


def found(*events: dict[str, Any]) -> list[str]:
    return problems({"traceEvents": [PROCESS, THREAD, *events]})


def test_events_that_nest_or_follow_each_other_are_right() -> None:
    assert found(complete(0, 10), complete(0, 4, "phase"), complete(4, 6, "phase"), complete(10, 5)) == []


@pytest.mark.parametrize(
    ("events", "word"),
    [
        ([complete(0, 10), complete(5, 10)], "ends after"),
        ([complete(0, 10), complete(12, 3, "phase")], "lies in no task"),
        ([complete(0, -1)], "no duration"),
        ([complete(-5, 1)], "no moment"),
        ([complete(0, 1.5)], "no duration"),
        ([complete(0, 1, pid="1")], "pid is no whole number"),
        ([complete(0, 1, name="")], "no name"),
        ([complete(0, 1, tid=9)], "has no name"),
        ([complete(0, 1, args={"x": float("nan")})], "JSON has no word"),
        ([complete(0, 1, ph="i")], "without a scope"),
        ([complete(0, 1, ph="C", args={"W": None})], "counts numbers"),
        ([complete(0, 1, ph="B")], "not used here"),
        ([PROCESS | {"name": "colour"}], "no viewer knows"),
    ],
)
def test_each_fault_is_found(events: list[dict[str, Any]], word: str) -> None:
    assert any(word in text for text in found(*events))


def test_a_file_without_events_is_no_trace() -> None:
    assert problems({}) == problems({"traceEvents": []}) == ["there is no list of traceEvents"]
