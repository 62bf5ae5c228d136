"""What happened when: rounds, each agent's tasks, and what it did between them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import device_runs
import msgspec
import pytest
import run_folders

from analysis.happened import Happened
from analysis.trace.course import NO_UPDATE, WAIT, RoundSpan, course_of, lanes
from analysis.trace.spans import Span, Task

ROUND = RoundSpan(run_folders.round_record(1), 10.0, 20.0)


def task(begin_s: float, end_s: float, uncertainty_s: float | None = 0.0, client: int = 1) -> Task:
    phases = (Span("train", begin_s, end_s, end_s - begin_s),)
    return Task(run_folders.client_record(1, client), begin_s, end_s, phases, uncertainty_s, True)


def gaps(*tasks: Task, broken: tuple[float, ...] = (), span: RoundSpan = ROUND) -> list[tuple[str, float, float]]:
    (lane,) = lanes(tasks, [span], [(0.0, 100.0)], broken)
    return [(wait.name, wait.begin_s, wait.end_s) for wait in lane.waits]


def test_rounds_end_with_their_new_state_and_last_as_long_as_the_wall_says() -> None:
    made = device_runs.run(rounds=3)
    course = course_of(made)
    ends = [event.at_s for event in made.events if event.event == "aggregated"]
    assert [span.end_s for span in course.rounds] == ends
    assert [span.end_s - span.begin_s for span in course.rounds] == pytest.approx([r.wall_s for r in made.rounds])
    assert course.rounds[0].aggregate.end_s == ends[0]
    assert [span.begin_s for span in course.evaluations] > ends


def test_every_update_is_on_a_lane_of_its_agent_and_none_over_another() -> None:
    course = course_of(device_runs.run())
    assert list(course.agents) == ["orin-01", "orin-02", "orin-03"]
    assert all(len(own) == 1 for own in course.agents.values())
    assert sum(len(own[0].tasks) for own in course.agents.values()) == 48
    for (lane,) in course.agents.values():
        spans = sorted([(t.begin_s, t.end_s) for t in lane.tasks] + [(w.begin_s, w.end_s) for w in lane.waits])
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert (course.estimated, course.unplaced) == (0, 0)


def test_an_agent_waits_before_between_and_after_its_tasks() -> None:
    assert gaps(task(11.0, 13.0), task(15.0, 18.0)) == [(WAIT, 10.0, 11.0), (WAIT, 13.0, 15.0), (WAIT, 18.0, 20.0)]
    assert gaps() == [(WAIT, 10.0, 20.0)]
    assert gaps(task(9.0, 21.0)) == []


def test_up_to_a_task_that_broke_an_agent_is_not_said_to_wait() -> None:
    assert gaps(task(15.0, 20.0), broken=(12.0, 30.0)) == [(NO_UPDATE, 10.0, 12.0), (WAIT, 12.0, 15.0)]
    spare = RoundSpan(run_folders.round_record(1, spare=(3,)), 10.0, 20.0)
    assert gaps(task(10.0, 15.0), span=spare) == [(NO_UPDATE, 15.0, 20.0)]


def test_an_agent_that_is_not_there_does_not_wait() -> None:
    (lane,) = lanes([], [ROUND], [(0.0, 12.0), (16.0, 17.0)])
    assert [(wait.begin_s, wait.end_s) for wait in lane.waits] == [(10.0, 12.0), (16.0, 17.0)]
    course = course_of(device_runs.run(rounds=4))
    lost = next(event.at_s for event in course.events if event.event == "agent-lost")
    back = [event.at_s for event in course.events if event.event == "agent-joined"][-1]
    (lane,) = course.agents["orin-03"]
    assert not any(wait.begin_s < back and wait.end_s > lost for wait in lane.waits)
    assert [wait.name for wait in lane.waits].count(NO_UPDATE) == 1  # up to the loss, a failed task in it


def test_tasks_that_touch_by_their_uncertainty_share_a_lane_and_others_do_not() -> None:
    (lane,) = lanes([task(11.0, 13.0, 0.1), task(12.85, 15.0, 0.1, client=2)], [], [])
    assert (lane.tasks[1].begin_s, lane.tasks[1].phases[0].begin_s) == (13.0, 13.0)
    first, second = lanes([task(11.0, 13.0, 0.1), task(12.0, 15.0, 0.1, client=2)], [ROUND], [(0.0, 99.0)])
    assert (len(first.tasks), len(second.tasks), second.waits) == (1, 1, ())


def test_an_older_run_is_placed_by_its_events_and_one_without_events_by_stamps_alone() -> None:
    made = device_runs.run(rounds=2)
    old = course_of(device_runs.without_stamps(made))
    assert (old.estimated, old.unplaced, len(old.rounds)) == (8, 0, 2)
    alone = course_of(replace(made, events=()))
    assert (alone.estimated, alone.unplaced, alone.rounds) == (0, 0, ())
    assert course_of(replace(device_runs.without_stamps(made), events=())).unplaced == 8


def test_a_resumed_controller_finds_its_agents_gone() -> None:
    made = device_runs.run(rounds=2, lost=False)
    at_s = made.rounds[0].wall_s / 2 + 8.0
    events = sorted((*made.events, Happened(event="controller-resumed", at_s=at_s)), key=lambda event: event.at_s)
    for (lane,) in course_of(replace(made, events=tuple(events))).agents.values():
        assert not any(wait.end_s > at_s for wait in lane.waits)


def test_agents_are_in_the_order_of_their_numbers() -> None:
    header = msgspec.structs.replace(run_folders.header(), agents=("agent-10", "agent-2", "other"))
    made = run_folders.run()
    assert list(course_of(replace(made, header=header)).agents) == ["agent-2", "agent-10", "other"]
