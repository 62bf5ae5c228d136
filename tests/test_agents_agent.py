"""A real agent process against a small controller, over real sockets on loopback; its faults are in another file."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_stage import Stage, ended, sha256_of

from harness.profiles import LinkProfile
from harness.protocol import messages as m


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def phases(record) -> float:
    first = record.download_s + record.load_s + record.train_s + record.serialise_s + record.upload_s
    return first + record.other_s


def test_a_task_goes_all_the_way_and_its_phases_sum_up(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    state = os.urandom(3_000_000)
    ref = stage.controller.task(state)
    done = stage.controller.until(m.Done)
    assert done.ref == ref
    assert (stage.controller.folder / "update").read_bytes() == state
    record = done.record
    assert record.total_s == phases(record)
    assert min(record.download_s, record.upload_s, record.other_s) > 0
    assert (record.download_bytes, record.upload_bytes, record.samples) == (3_000_000, 3_000_000, 7)
    assert 6_000_000 < record.wire_bytes < 6_010_000
    assert record.warm_up
    assert record.link_up_bps is None
    report = stage.controller.until(m.Report)
    assert (report.record.upload_s, report.record.upload_bytes) == (0.0, 0)


def test_a_trainer_that_holds_the_state_before_is_given_less(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    first, second, tip = os.urandom(300_000), os.urandom(300_000), os.urandom(1000)
    for attempt, (state, before) in enumerate([(first, b"none"), (second, first), (second, first)], 1):
        stage.controller.task(state, attempt=attempt, less=(tip, before))
        stage.controller.until(m.Done, attempt)
    fetched = [done.record.download_bytes for done in stage.controller.seen if isinstance(done, m.Done)]
    assert fetched == [300_000, 1000, 1000], "the third time it still holds what the second one built on"
    of_blobs = [stage.controller.fetched_bytes.get(sha256_of(data), 0) for data in (first, second, tip)]
    assert of_blobs == [300_000, 0, 2000]


def test_a_trainer_that_was_killed_holds_nothing(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    first, second, tip = os.urandom(300_000), os.urandom(300_000), os.urandom(1000)
    stage.controller.task(first)
    stage.controller.until(m.Done)
    [trainer] = stage.children()
    os.kill(trainer, signal.SIGKILL)
    assert ended(trainer)
    stage.controller.until_doing("idle")
    stage.controller.task(second, attempt=2, less=(tip, first))
    assert stage.controller.until(m.Done, 2).record.download_bytes == 300_000
    assert (stage.controller.folder / "update").read_bytes() == second


def test_a_second_agent_process_finds_all_in_the_cache(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    fetched = dict(stage.controller.fetched_bytes)
    stage.agents[0].stdin.close()
    assert stage.agents[0].wait(30) == 0
    stage.start()
    stage.controller.until(m.Ready, 2)
    assert stage.controller.fetched_bytes == fetched


def test_a_blob_that_is_damaged_on_the_way_is_fetched_again(stage: Stage) -> None:
    stage.controller.damaged = [stage.controller.base.sha256]
    stage.start()
    stage.controller.until(m.Ready)
    assert stage.controller.fetched_bytes[stage.controller.base.sha256] == 2 * 700_000


def test_a_blob_that_is_damaged_twice_ends_the_agent_with_a_reason(stage: Stage) -> None:
    stage.controller.damaged = [stage.controller.base.sha256] * 6
    agent = stage.start()
    assert "'weights' has hash" in stage.controller.until(m.Goodbye).reason
    assert agent.wait(30) == 1


def test_a_damaged_file_of_the_cache_is_fetched_again(stage: Stage) -> None:
    blobs = stage.cache / "blobs"
    blobs.mkdir(parents=True)
    (blobs / stage.controller.base.sha256).write_bytes(bytes(700_000))
    stage.start()
    stage.controller.until(m.Ready)
    assert stage.controller.fetched_bytes[stage.controller.base.sha256] == 700_000


def test_of_half_a_download_only_the_rest_is_fetched(stage: Stage) -> None:
    blobs = stage.cache / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{stage.controller.base.sha256}.part").write_bytes(b"w" * 300_000)
    stage.start()
    stage.controller.until(m.Ready)
    assert stage.controller.fetched_bytes[stage.controller.base.sha256] == 400_000


def test_the_initial_state_is_fetched_for_each_run_and_timed(stage: Stage) -> None:
    stage.controller.init = b"i" * 100_000
    stage.start()
    assert stage.controller.until(m.Ready).ship_s > 0
    stage.controller.run_id = "another"
    stage.controller.send(m.Stop(reason="done"))
    stage.controller.until(m.Ready, 2)
    assert stage.controller.fetched_bytes[sha256_of(stage.controller.init)] == 200_000


def test_heartbeats_go_on_during_a_paced_transfer(stage: Stage) -> None:
    stage.controller.link = LinkProfile(name="slow", rate_mbps=1.0)
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(os.urandom(50_000))
    record = stage.controller.until(m.Done).record
    doing = [beat.doing for beat in stage.controller.beats]
    assert doing.count("fetching") >= 2
    assert doing.count("sending") >= 2
    assert record.download_s >= 0.99 * 50_000 * 8 / 1e6
    assert record.upload_s >= 0.99 * 50_000 * 8 / 1e6
    assert record.link_up_bps == pytest.approx(1e6)


def test_the_agent_is_small(stage: Stage) -> None:
    agent = stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(os.urandom(5_000_000))
    stage.controller.until(m.Done)
    status = Path(f"/proc/{agent.pid}/status").read_text()
    peak_kib = int(status.split("VmHWM:")[1].split()[0])
    assert peak_kib < 80 * 1024
