"""A run as trace events: by the rules of the format, with a track for each agent, and nothing of it lost."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import device_runs
import msgspec
import pytest
from trace_rules import complete_by_track, problems

from analysis.happened import Happened
from analysis.load import Run, load_run
from analysis.trace.power import Power
from analysis.trace.telemetry import read_power
from analysis.trace.viewer import trace_of


def traced(made: Run, **power: Power) -> dict[str, Any]:
    """The trace as a viewer reads it."""
    trace: dict[str, Any] = json.loads(msgspec.json.encode(trace_of(made, power)))
    return trace


def test_every_event_has_its_fields_and_phases_nest_in_their_task(tmp_path: Path) -> None:
    made = load_run(device_runs.write(tmp_path / "run", device_runs.run()))
    trace: dict[str, Any] = json.loads(msgspec.json.encode(trace_of(made, read_power(made.path))))
    assert problems(trace) == []
    kinds = Counter(event.get("cat", event["ph"]) for event in trace["traceEvents"])
    assert kinds["task"] == len(made.clients) == 48
    assert kinds["phase"] == 5 * 48
    assert (kinds["round"], kinds["aggregate"], kinds["evaluate"]) == (12, 12, 12)
    assert kinds["preparation"] == 2 * 4
    assert kinds["wait"] > 0
    assert kinds["C"] > 1000


@pytest.mark.parametrize("method", ["fedft", "fedlr"])
def test_an_older_run_is_drawn_from_its_events_and_says_so(method: str) -> None:
    trace = traced(device_runs.without_stamps(device_runs.run(method)))
    assert problems(trace) == []
    tasks = [event for event in trace["traceEvents"] if event.get("cat") == "task"]
    assert {event["args"]["placed_by"] for event in tasks} == {"the arrival of its update"}
    assert {event["args"]["uncertainty_s"] for event in tasks} == {None}
    assert trace["otherData"]["tasks_placed_by_arrival"] == len(tasks) == 48
    names = {event["args"]["name"] for event in trace["traceEvents"] if event["name"] == "thread_name"}
    assert names == {"rounds", "evaluations", "tasks, by arrival", "preparation"}


def test_a_process_for_the_controller_and_one_for_each_agent() -> None:
    events = traced(device_runs.run(rounds=1))["traceEvents"]
    named = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert named == {1: "controller", 2: "orin-01", 3: "orin-02", 4: "orin-03"}


def test_stamps_of_agents_stand_on_the_runs_clock_with_their_uncertainty() -> None:
    made = device_runs.run(rounds=1)
    task = next(event for event in traced(made)["traceEvents"] if event.get("cat") == "task")
    first = next(client for client in made.clients if client.client == task["args"]["client"])
    arrived = next(e.at_s for e in made.events if e.record and e.record.client == first.client)
    assert task["ts"] + task["dur"] == pytest.approx(1e6 * arrived, abs=6000)
    assert task["args"]["uncertainty_s"] == 0.0016
    assert task["args"]["placed_by"] == "stamps of the agent"
    assert task["args"]["seconds"] == first.total_s


def test_losses_reconnections_and_resumes_are_instants() -> None:
    made = device_runs.run(rounds=4)
    resumed = Happened(event="controller-resumed", at_s=made.events[-1].at_s)
    trace = traced(replace(made, events=(*made.events, resumed)))
    assert problems(trace) == []
    instants = {e["name"]: (e["pid"], e["s"], e["args"]) for e in trace["traceEvents"] if e["ph"] == "i"}
    assert instants["agent lost"] == (4, "t", {"reason": "no heartbeat for 8 s"})
    assert instants["task failed"][2] == {"reason": "no memory", "round": 3, "client": 39, "attempt": 1}
    assert instants["agent reconnected"][0] == 4
    assert instants["controller resumed"][:2] == (1, "g")
    assert not {"aggregated", "evaluated", "update received"} & set(instants)


def test_power_is_a_counter_of_its_agent_and_what_was_not_read_is_no_zero() -> None:
    power = Power((1.0, 2.0), {"total": (10.0, None), "VDD_CPU_CV": (4.0, 5.0)})
    trace = traced(device_runs.run(rounds=1), **{"orin-02": power, "controller": power, "stranger": power})
    assert problems(trace) == []
    counters = [e for e in trace["traceEvents"] if e["ph"] == "C"]
    own = [(e["name"], e["ts"], e["args"]["W"]) for e in counters if e["pid"] == 3]
    assert own == [
        ("power, W", 1_000_000, 10.0),
        ("power of VDD_CPU_CV, W", 1_000_000, 4.0),
        ("power of VDD_CPU_CV, W", 2_000_000, 5.0),
    ]
    assert {e["pid"] for e in counters} == {1, 3, 5}


def test_a_run_that_has_just_begun_has_a_trace_of_what_there_is() -> None:
    made = device_runs.run(rounds=1)
    early = replace(made, rounds=(), clients=(), events=made.events[:4])
    trace = traced(early)
    assert problems(trace) == []
    assert set(complete_by_track(trace["traceEvents"])) == {(2, 100), (3, 100), (4, 100)}
