"""The rules of the trace event format, as viewers hold a file to them: what of it they would drop or draw wrongly.

After "Trace Event Format" (Google, 2016) and Perfetto's notes on it: an event has the fields of its kind, and complete
events of one thread nest or follow each other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

METADATA = {"process_name": "name", "process_sort_index": "sort_index", "thread_name": "name"}
"""Metadata events that a trace of ours may have, and the one argument that each must have."""


def problems(trace: Mapping[str, Any]) -> list[str]:
    """What is wrong with a trace, a sentence each; empty: it opens as it is meant."""
    events = trace.get("traceEvents")
    if not isinstance(events, list) or not events:
        return ["there is no list of traceEvents"]
    found = [f"event {place} {event}: {text}" for place, event in enumerate(events) for text in _fields(event)]
    return found or [*_nesting(events), *_names(events)]


def _fields(event: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(event.get("name"), str) or not event["name"]:
        yield "no name"
    for key in ("pid", "tid"):
        if type(event.get(key)) is not int:
            yield f"{key} is no whole number"
    if not isinstance(event.get("args", {}), dict) or not _finite(event.get("args")):
        yield "args hold what JSON has no word for"
    kind = event.get("ph")
    if kind == "M":
        wanted = METADATA.get(str(event.get("name")))
        if wanted is None or wanted not in event.get("args", {}):
            yield "metadata that no viewer knows"
        return
    if type(event.get("ts")) is not int or event["ts"] < 0:
        yield "ts is no moment of the run"
    if kind == "X":
        if type(event.get("dur")) is not int or event["dur"] < 0:
            yield "dur is no duration"
    elif kind == "i":
        if event.get("s") not in ("g", "p", "t"):
            yield "an instant without a scope"
    elif kind == "C":
        values = event.get("args", {}).values()
        if not values or not all(isinstance(value, (int, float)) for value in values):
            yield "a counter counts numbers"
    else:
        yield "a kind that is not used here"


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    return not isinstance(value, list) or all(map(_finite, value))


def complete_by_track(events: list[dict[str, Any]]) -> dict[tuple[int, int], list[dict[str, Any]]]:
    """Complete events of each (pid, tid), outer ones first."""
    tracks: defaultdict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            tracks[event["pid"], event["tid"]].append(event)
    return {track: sorted(found, key=lambda each: (each["ts"], -each["dur"])) for track, found in tracks.items()}


def _nesting(events: list[dict[str, Any]]) -> Iterator[str]:
    for track, found in complete_by_track(events).items():
        open_until: list[tuple[int, str]] = []
        for event in found:
            begin, end = event["ts"], event["ts"] + event["dur"]
            while open_until and open_until[-1][0] <= begin:
                open_until.pop()
            if open_until and end > open_until[-1][0]:
                yield f"track {track}: {event['name']} ends after {open_until[-1][1]}, in which it began"
            if event["cat"] == "phase" and not open_until:
                yield f"track {track}: the phase {event['name']} at {begin} lies in no task"
            open_until.append((end, event["name"]))


def _names(events: list[dict[str, Any]]) -> Iterator[str]:
    processes = {event["pid"] for event in events if event["name"] == "process_name"}
    threads = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    for event in events:
        if event["pid"] not in processes:
            yield f"process {event['pid']} has no name"
        if event["ph"] == "X" and (event["pid"], event["tid"]) not in threads:
            yield f"track {event['pid'], event['tid']} has no name"
