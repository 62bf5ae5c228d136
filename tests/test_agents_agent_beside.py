"""What a real agent process tells beside the rounds: of its clock, its sensors, its device, and to systemd."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_controller import AHEAD_S
from stub_stage import Stage

from harness.profiles import LinkProfile
from harness.protocol import messages as m

PHASES = ("download", "load", "train", "serialise", "upload")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_a_record_tells_when_its_phases_began_and_how_the_clocks_are_apart(stage: Stage) -> None:
    stage.controller.link = LinkProfile(name="slow", rate_mbps=2.0)
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(os.urandom(50_000))
    record = stage.controller.until(m.Done).record
    began_s, ended_s = record.timeline.phase_at_s, 0.0
    assert tuple(began_s) == PHASES
    for phase in PHASES:
        assert began_s[phase] >= ended_s - 1e-6
        ended_s = began_s[phase] + getattr(record, f"{phase}_s")
    assert ended_s <= record.total_s + 1e-6
    for offset in (record.timeline.download, record.timeline.upload):
        assert abs(offset.offset_s - AHEAD_S) <= offset.uncertainty_s + 1e-6


def test_a_controller_that_stamps_nothing_leaves_the_clocks_unknown(stage: Stage) -> None:
    stage.controller.echo_of = lambda beat: m.BeatEcho(number=beat.number)
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(b"state")
    timeline = stage.controller.until(m.Done).record.timeline
    assert (timeline.download, timeline.upload) == (None, None)


def test_samples_and_a_report_come_between_transfers_and_energy_or_its_absence_in_the_record(stage: Stage) -> None:
    stage.controller.telemetry_hz = 50.0
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.until(m.Telemetry)
    stage.controller.task(os.urandom(50_000))
    done = stage.controller.until(m.Done)
    report = stage.controller.until(m.DeviceReport)
    assert done.record.vitals.samples >= 0
    assert done.record.energy_j == done.record.vitals.energy_j
    assert report.report["doctor"] == []
    assert report.report["device"]["source"] == done.record.vitals.source
    rows = [row for message in stage.controller.seen if isinstance(message, m.Telemetry) for row in message.rows]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_without_telemetry_nobody_looks_at_the_device(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    assert len(stage.children()) == 1
    stage.controller.task(b"state")
    record = stage.controller.until(m.Done).record
    assert (record.vitals, record.energy_j) == (None, None)
    beside = m.Telemetry | m.DeviceReport
    assert not [message for message in stage.controller.seen if isinstance(message, beside)]


def test_what_goes_beside_the_rounds_is_not_among_a_record_s_bytes(stage: Stage, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    stage.controller.shards = {"3": f"gate {gate}".encode()}
    stage.controller.telemetry_hz = 50.0
    stage.start()
    stage.controller.until(m.Ready)
    told = len([it for it in stage.controller.seen if isinstance(it, m.Telemetry)])
    stage.controller.task(os.urandom(1000))
    stage.controller.until_doing("training")
    stage.controller.until(m.Telemetry, told + 3)
    gate.touch()
    assert stage.controller.until(m.Done).record.wire_bytes < 4000


def test_where_the_kernel_is_to_keep_the_link_and_has_no_helper_the_agent_says_so_and_ends(stage: Stage) -> None:
    stage.controller.link = LinkProfile(name="wifi", rate_mbps=5.0, shaping="kernel")
    agent = stage.start()
    reason = stage.controller.until(m.Goodbye).reason
    assert f"{stage.cache}/shaper.sock" in reason
    assert "link.shaping: user" in reason
    assert agent.wait(30) == 1


def heard(notify: socket.socket, until: str) -> list[str]:
    """What an agent tells systemd, up to a line."""
    lines: list[str] = []
    while until not in lines:
        lines += notify.recv(4096).decode().splitlines()
    return lines


def test_a_busy_agent_feeds_the_watchdog_and_says_what_it_does(stage: Stage, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    stage.controller.shards = {"3": f"gate {gate}".encode()}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(30.0)
        agent = stage.start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000")
        assert heard(notify, "READY=1")[0] == "READY=1"
        stage.controller.until(m.Ready)
        stage.controller.task(b"state")
        stage.controller.until_doing("training")
        heard(notify, "STATUS=training: client 3, round 1, attempt 1")
        heard(notify, "WATCHDOG=1")
        heard(notify, "WATCHDOG=1")
        gate.touch()
        stage.controller.until(m.Done)
        agent.stdin.close()
        heard(notify, "STOPPING=1")
        assert agent.wait(30) == 0


def test_an_agent_that_waits_for_its_controller_feeds_the_watchdog(stage: Stage, tmp_path: Path) -> None:
    stage.controller.go_down()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(30.0)
        stage.start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000")
        assert "STATUS=waiting for a controller" in heard(notify, "READY=1")
        for _ in range(5):
            heard(notify, "WATCHDOG=1")
    stage.controller.come_back()
