"""A task on the run's clock: by its agent's stamps, else by when its update came in."""

from __future__ import annotations

import msgspec
import pytest
from run_folders import client_record

from analysis.trace.spans import later, task_of
from harness.timeline import Offset, Timeline

AT = {"download": 0.0, "load": 0.5, "train": 0.75, "serialise": 2.75, "upload": 2.8125}


def stamped(download: Offset | None, upload: Offset | None = None, arrived_s: float = 1000.0) -> Timeline:
    return Timeline(arrived_s=arrived_s, phase_at_s=AT, download=download, upload=upload)


def test_stamps_and_offset_place_a_task_with_its_uncertainty() -> None:
    record = client_record(timeline=stamped(Offset(offset_s=-990.0, uncertainty_s=0.002)))
    task = task_of(record, received_s=99.0)
    assert task is not None
    assert (task.begin_s, task.end_s, task.uncertainty_s, task.stamped) == (10.0, 13.5625, 0.002, True)
    assert [(span.name, span.begin_s) for span in task.phases] == [(name, 10 + at_s) for name, at_s in AT.items()]


def test_two_offsets_that_differ_as_clocks_drift_stretch_the_task() -> None:
    line = stamped(Offset(offset_s=-990.0, uncertainty_s=0.002), Offset(offset_s=-989.999, uncertainty_s=0.003))
    task = task_of(client_record(timeline=line), None)
    assert task is not None
    assert task.end_s == pytest.approx(13.5635)
    assert task.uncertainty_s == 0.003
    assert task.phases[-1].end_s <= task.end_s + 1e-9


def test_of_two_offsets_that_contradict_each_other_the_better_one_counts() -> None:
    line = stamped(Offset(offset_s=-990.0, uncertainty_s=0.5), Offset(offset_s=-989.0, uncertainty_s=0.01))
    task = task_of(client_record(timeline=line), None)
    assert task is not None
    assert (task.begin_s, task.end_s - task.begin_s, task.uncertainty_s) == (11.0, 3.5625, 0.01)


def test_without_stamps_the_arrival_of_the_update_ends_the_task() -> None:
    task = task_of(client_record(), received_s=20.0)
    assert task is not None
    assert (task.begin_s, task.end_s, task.uncertainty_s, task.stamped) == (16.4375, 20.0, None, False)
    assert [span.name for span in task.phases] == ["download", "load", "train", "serialise", "upload"]
    assert task.phases[0].begin_s == 16.4375
    assert task_of(client_record(), None) is None
    assert task_of(client_record(timeline=stamped(None)), None) is None


def test_phases_follow_each_other_even_where_stamps_say_otherwise() -> None:
    line = msgspec.structs.replace(
        stamped(Offset(offset_s=0.0, uncertainty_s=0.0), arrived_s=0.0), phase_at_s=AT | {"load": 0.25, "upload": 9.0}
    )
    task = task_of(client_record(timeline=line), None)
    assert task is not None
    edges = [edge for span in task.phases for edge in (span.begin_s, span.end_s)]
    assert edges == sorted(edges)
    assert edges[-1] <= task.end_s
    assert task.phases[0].seconds == 0.5
    assert task.phases[0].end_s == 0.25


def test_phases_that_were_not_done_again_are_left_out() -> None:
    task = task_of(client_record(download_s=0.0, load_s=0.0, train_s=0.0, total_s=0.8125), 5.0)
    assert task is not None
    assert [span.name for span in task.phases] == ["serialise", "upload"]


def test_what_lies_before_a_moment_can_be_cut_off() -> None:
    task = task_of(client_record(), received_s=20.0)
    assert task is not None
    cut = later(task, 17.0)
    assert (cut.begin_s, cut.end_s) == (17.0, 20.0)
    assert cut.phases[0].name == "load"
    assert cut.phases[0].begin_s == 17.0
