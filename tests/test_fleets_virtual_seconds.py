"""Seconds of a virtual device: by the tables of its device and link, and the phases sum to the whole."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from run_folders import experiment

from harness.errors import ProfileError
from harness.fleets.virtual_seconds import VirtualSeconds
from harness.learning.measured import Measured
from harness.learning.spec import Trained
from harness.library import load_experiment
from harness.profiles import DeviceProfile, LinkProfile, RateProfile, ServerSeconds, TrainSeconds
from harness.records import ClientRecord
from harness.rounds.commands import AssignTask
from harness.timeline import Offset

STEP = TrainSeconds(step_s=0.25)
TASK = AssignTask(agent="device-1", round=3, client=7, attempt=1, state_sha256="0" * 64)
DONE = Measured(
    trained=Trained(samples=40, steps=5, tokens=900, loss=1.0),
    load_s=0.25,
    train_s=2.0,
    serialise_s=0.5,
    cpu_s=2.5,
    peak_rss_bytes=1000,
)


def record(seconds: VirtualSeconds) -> ClientRecord:
    return seconds.record(TASK, DONE, state_bytes=1_000_000, update_bytes=500_000, update_sha256="1" * 64, warm_up=True)


def virtual(**changes: Any) -> Any:
    return experiment(fleet="virtual", **changes)


def test_the_phases_sum_to_the_whole() -> None:
    found = record(VirtualSeconds(virtual(link=LinkProfile(name="l", rate_mbps=8, latency_s=0.1)), "fedlr"))
    assert (found.download_s, found.upload_s) == (pytest.approx(1.2), pytest.approx(0.7))
    assert (found.load_s, found.train_s, found.serialise_s, found.other_s) == (0.25, 2.0, 0.5, 0.0)
    assert found.total_s == pytest.approx(1.2 + 2.75 + 0.7)


def test_a_first_call_is_in_the_seconds_that_were_measured_and_in_none_of_a_table() -> None:
    measured, told = (DeviceProfile(name="d", seconds=table) for table in ((), (STEP,)))
    assert record(VirtualSeconds(virtual(device=measured), "fedlr")).warm_up
    assert not record(VirtualSeconds(virtual(device=told), "fedlr")).warm_up


def test_each_direction_has_its_bytes_and_its_rate_and_what_a_device_did_is_kept() -> None:
    link = LinkProfile(name="l", rate_mbps=8.0, latency_s=0.5, up=RateProfile(rate_mbps=2.0))
    seconds = VirtualSeconds(virtual(link=link, device=DeviceProfile(name="d", seconds=(STEP,))), "fedlr")
    task = msgspec.structs.replace(TASK, attempt=2)
    found = seconds.record(task, DONE, 1_000_000, 500_000, "1" * 64, warm_up=False)
    assert (found.download_s, found.upload_s) == (pytest.approx(2.0), pytest.approx(3.0))
    assert (found.download_bytes, found.upload_bytes) == (1_000_000, 500_000)
    assert (found.download_bps, found.upload_bps) == (pytest.approx(8e6 / 2), pytest.approx(4e6 / 3))
    assert (found.link_down_bps, found.link_up_bps) == (pytest.approx(8e6), pytest.approx(2e6))
    assert (found.train_s, found.train_cpu_s) == (5 * 0.25, 2.5)
    assert (found.round, found.client, found.agent, found.attempt) == (3, 7, "device-1", 2)
    assert (found.samples, found.steps, found.tokens, found.loss) == (40, 5, 900, 1.0)
    traced = LinkProfile(name="t", rate_min_mbps=1.0, rate_max_mbps=9.0)
    uneven = VirtualSeconds(virtual(link=traced), "fedlr").record(TASK, DONE, 10**6, 10**6, "1" * 64, warm_up=True)
    assert uneven.download_s != uneven.upload_s, "the trace of an upload is one of its own"


def test_a_slower_device_takes_its_multiple_of_what_was_measured_here() -> None:
    slow = DeviceProfile(name="slow", slowdown=3.0, slower_than="desk")
    found = record(VirtualSeconds(virtual(device=slow), "fedlr"))
    assert (found.load_s, found.train_s, found.serialise_s) == (0.75, 6.0, 1.5)


@pytest.mark.parametrize(("method", "train_s", "transfer_s"), [("fedft", 4.59, 109.67), ("federa", 3.27, 1.68)])
def test_the_paper_s_tables_are_looked_up_by_what_the_run_stands_for(
    method: Any, train_s: float, transfer_s: float
) -> None:
    sets = ["fleet=virtual", "device=table8", "link=table8"]
    sets += ["model.timed_as=roberta-base", "dataset.timed_as=20newsgroups"]
    seconds = VirtualSeconds(load_experiment("quickstart", [*sets, f"methods.{method}.rank=32"]), method)
    found = record(seconds)
    assert (found.train_s, found.download_s, found.upload_s) == (train_s, transfer_s, transfer_s)
    assert found.total_s == pytest.approx(train_s + 2 * transfer_s)
    assert seconds.shipping_s(4_000_000) == 0


def test_the_svd_counts_as_the_table_says_and_only_where_there_is_one() -> None:
    seconds = VirtualSeconds(virtual(device=DeviceProfile(name="d", server=ServerSeconds(svd_s=8.62))), "federa")
    assert (seconds.svd_s(0.01), seconds.svd_s(0.0)) == (8.62, 0.0)


def test_a_run_that_no_table_knows_is_refused_before_anything_is_done() -> None:
    with pytest.raises(ProfileError, match=r"device 'table8' has no seconds for federa of model 'embedded'"):
        VirtualSeconds(load_experiment("quickstart", ["fleet=virtual", "device=table8"]), "federa")
    with pytest.raises(ProfileError, match=r"link 'table8' has no seconds for federa of rank 32 on model 'embedded'"):
        VirtualSeconds(
            load_experiment("quickstart", ["fleet=virtual", "link=table8", "methods.federa.rank=32"]), "federa"
        )


def test_the_record_is_one_that_a_run_folder_can_hold() -> None:
    found = record(VirtualSeconds(virtual(), "fedlr"))
    assert msgspec.json.decode(msgspec.json.encode(found), type=ClientRecord) == found


def test_phases_begin_one_after_another_on_the_runs_own_clock() -> None:
    seconds = VirtualSeconds(virtual(link=LinkProfile(name="l", rate_mbps=8, latency_s=0.1)), "fedlr")
    found = seconds.record(TASK, DONE, 1_000_000, 500_000, "1" * 64, warm_up=False, arrived_s=40.0)
    timeline = found.timeline
    assert timeline is not None
    moments_s = [timeline.phase_at_s[phase] for phase in ("download", "load", "train", "serialise", "upload")]
    assert moments_s == pytest.approx([0.0, 1.2, 1.45, 3.45, 3.95])
    assert timeline.phase_at_s["upload"] + found.upload_s == pytest.approx(found.total_s)
    assert timeline.arrived_s == 40.0
    assert timeline.download == timeline.upload == Offset(offset_s=0.0, uncertainty_s=0.0)
    assert (found.vitals, found.energy_j) == (None, None)


def test_a_link_that_a_kernel_would_keep_has_the_same_seconds_on_a_clock_without_one() -> None:
    link = LinkProfile(name="l", rate_min_mbps=5, rate_max_mbps=9, latency_s=0.1)
    kernel = msgspec.structs.replace(link, shaping="kernel")
    assert record(VirtualSeconds(virtual(link=kernel), "fedlr")) == record(VirtualSeconds(virtual(link=link), "fedlr"))
