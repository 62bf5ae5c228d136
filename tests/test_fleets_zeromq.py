"""Real sockets on loopback: one real agent for a round, agents played by hand for what goes wrong."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from fleet_stage import STATE, FleetStage, hello, record, update_of
from small_tensors import tensor_file
from stub_controller import blob

from harness.protocol import messages as m
from harness.rounds.commands import CancelTask
from harness.rounds.events import AgentJoined, AgentLost, AgentReconnected, TaskFailed, UpdateLate, UpdateReceived
from harness.transport import connect


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[FleetStage]:
    stage = FleetStage(tmp_path, time.monotonic)
    yield stage
    stage.close()


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[FleetStage]:
    stage = FleetStage(tmp_path, time.monotonic, lost_after_s=0.3)
    yield stage
    stage.close()


def test_a_real_agent_joins_trains_and_ends_with_the_run(stage: FleetStage) -> None:
    agent = stage.start()
    joined = stage.until(AgentJoined)
    assert (joined.agent, joined.host) == ("a1", "here")
    stage.assign("a1")
    got = stage.until(UpdateReceived).record
    assert (got.agent, got.round, got.client, got.samples) == ("a1", 1, 3, 7)
    assert got.update_sha256 == stage.state.sha256
    assert stage.update.read_bytes() == STATE
    stage.fleet.close("the run is over")
    assert agent.wait(30) == 0


def test_a_killed_agent_is_lost_after_its_last_heartbeat(impatient: FleetStage) -> None:
    agent = impatient.start()
    impatient.until(AgentJoined)
    agent.kill()
    lost = impatient.until(AgentLost)
    assert (lost.agent, lost.reason) == ("a1", "no heartbeat for 0.3 s")


def test_an_agent_that_starts_again_is_lost_first_and_joins_anew(stage: FleetStage) -> None:
    stage.hand().join()
    stage.until(AgentJoined)
    stage.hand().join(session="f" * 16)
    stage.until(AgentJoined, 2)
    assert [type(event) for event in stage.events] == [AgentJoined, AgentLost, AgentJoined]
    assert stage.events[1].reason == "it started again"


def test_why_an_agent_never_got_ready_is_told(stage: FleetStage) -> None:
    hand = stage.hand()
    hand.say(hello())
    hand.hear(m.Provision)
    hand.say(m.Goodbye(agent="by-hand", reason="the trainer could not be prepared"))
    assert stage.until(AgentLost).reason == "it left: the trainer could not be prepared"


def test_an_agent_of_another_protocol_is_refused_with_a_sentence(stage: FleetStage) -> None:
    hand = stage.hand()
    hand.say(hello(protocol=m.PROTOCOL + 1))
    expected = (
        f"agent by-hand speaks protocol {m.PROTOCOL + 1}, this controller {m.PROTOCOL}; "
        "install the same version of federa-bench on both"
    )
    assert hand.hear(m.Refused).reason == expected
    assert stage.events == []


def test_a_damaged_update_is_refused_and_sent_again(stage: FleetStage) -> None:
    hand = stage.hand()
    hand.join()
    stage.until(AgentJoined)
    ref = stage.assign("by-hand")
    update = update_of(b"an update")
    hand.send(ref, update, bytes(len(update)), update)
    hand.hear(m.Received)
    assert stage.update.read_bytes() == update
    hand.say(m.Done(ref=ref, record=record(attempt=7)))
    got = stage.until(UpdateReceived).record
    assert (got.agent, got.attempt) == ("by-hand", 1), "an agent's word on who it is is not taken"


def test_an_update_that_is_damaged_twice_fails_the_task_and_not_the_run(stage: FleetStage) -> None:
    hand = stage.hand()
    hand.join()
    stage.until(AgentJoined)
    ref = stage.assign("by-hand")
    update = update_of(b"an update")
    hand.send(ref, update, bytes(len(update)), bytes(len(update)))
    failed = stage.until(TaskFailed)
    assert (failed.agent, failed.client, failed.attempt) == ("by-hand", 3, 1)
    assert "twice" in failed.reason
    assert hand.hear(m.Cancel).ref == ref
    assert not stage.update.exists()


def test_an_update_is_taken_up_where_it_broke_off(stage: FleetStage) -> None:
    first, update = stage.hand(), update_of(b"half and half")
    first.join("first")
    stage.until(AgentJoined)
    ref = stage.assign("first")
    first.say(m.Offer(ref=ref, blob=blob("update", update)))
    first.hear(m.Accept)
    first.say(m.Chunk(sha256=blob("update", update).sha256, offset=0), update[:6000])
    first.say(m.Goodbye(agent="first", reason="enough"))
    stage.until(AgentLost)
    second = stage.hand()
    second.join("second")
    stage.until(AgentJoined, 2)
    second.say(m.Offer(ref=stage.assign("second", attempt=2), blob=blob("update", update)))
    assert second.hear(m.Accept).offset == 6000


def test_an_update_nobody_waits_for_any_more_is_sent_away_and_told_of_once(stage: FleetStage) -> None:
    hand = stage.hand()
    hand.join()
    stage.until(AgentJoined)
    ref = stage.assign("by-hand")
    stage.fleet.cancel(CancelTask(agent="by-hand", round=1, client=3, attempt=1))
    assert hand.hear(m.Cancel).ref == ref
    for _ in range(2):
        hand.say(m.Offer(ref=ref, blob=blob("update", b"late")))
        assert hand.hear(m.Cancel).ref == ref
    hand.say(m.Failed(ref=ref, reason="late"))
    hand.say(m.Goodbye(agent="by-hand", reason="enough"))
    stage.until(AgentLost)
    assert [type(event) for event in stage.events] == [AgentJoined, UpdateLate, AgentLost]
    late = stage.events[1]
    assert (late.agent, late.round, late.client, late.attempt) == ("by-hand", 1, 3, 1)


def test_a_connection_that_breaks_in_an_upload_costs_nothing_but_what_was_on_its_way(stage: FleetStage) -> None:
    hand, update = stage.hand(), update_of(b"an update")
    hand.join()
    stage.until(AgentJoined)
    ref = stage.assign("by-hand")
    sha256, half = hashlib.sha256(update).hexdigest(), m.MAX_CHUNK_BYTES
    hand.say(m.Offer(ref=ref, blob=blob("update", update)))
    hand.hear(m.Accept)
    hand.chunks(sha256, update[:half])
    stage.work(lambda: any(part.stat().st_size == half for part in stage.folder.glob("update.*.part")), "half of it")

    again = stage.hand()
    again.say(hello(provisioned=True, holds=ref))
    assert again.hear(m.Welcome).resumed
    again.say(m.Offer(ref=ref, blob=blob("update", update)))
    assert again.hear(m.Accept).offset == half
    hand.chunks(sha256, update, half)  # what the old connection still says counts for nothing
    again.chunks(sha256, update, half)
    again.hear(m.Received)
    for _ in range(2):  # a Done that may be lost is said again
        again.say(m.Done(ref=ref, record=record()))
    again.say(m.Goodbye(agent="by-hand", reason="enough"))
    stage.until(AgentLost)
    assert stage.update.read_bytes() == update
    assert [type(event) for event in stage.events] == [AgentJoined, AgentReconnected, UpdateReceived, AgentLost]


def test_a_task_that_was_lost_with_a_connection_is_said_again(stage: FleetStage) -> None:
    stage.hand().join()
    stage.until(AgentJoined)
    ref = stage.assign("by-hand")
    again = stage.hand()
    again.say(hello(provisioned=True))
    assert again.hear(m.Task).ref == ref


def test_an_update_of_other_tensors_fails_the_task_and_not_the_run(stage: FleetStage) -> None:
    hand, update = stage.hand(), tensor_file(b"an update", "another name")
    hand.join()
    stage.until(AgentJoined)
    ref = stage.assign("by-hand")
    hand.send(ref, update, update)
    assert "has tensor 'another name', which the state has not" in stage.until(TaskFailed).reason
    assert hand.hear(m.Cancel).ref == ref
    assert not stage.update.exists()


def test_an_update_that_had_landed_when_the_controller_died_is_not_sent_again(stage: FleetStage) -> None:
    hand, update = stage.hand(), update_of(b"an update")
    stage.update.write_bytes(update)
    hand.join()
    stage.until(AgentJoined)
    ref = stage.assign("by-hand")
    hand.say(m.Offer(ref=ref, blob=blob("update", update)))
    assert hand.hear(m.Accept).offset == len(update)
    hand.hear(m.Received)
    hand.say(m.Done(ref=ref, record=record(resumed_bytes=len(update))))
    assert stage.until(UpdateReceived).record.update_sha256 == hashlib.sha256(update).hexdigest()


def test_an_agent_may_fetch_less_than_the_state_and_tells_of_what_it_fetched(stage: FleetStage) -> None:
    hand, update = stage.hand(), update_of(b"an update")
    hand.join()
    stage.until(AgentJoined)
    stage.assign("by-hand", lean=b"tip")
    task = hand.hear(m.Task)
    assert (task.state, task.lean) == (stage.state, m.LeanState(blob=blob("lean", b"tip"), since="0" * 64))
    hand.say(m.Fetch(sha256=task.lean.blob.sha256, offset=0, credit_bytes=3, chunk_bytes=3))
    assert hand.hear(m.Chunk).sha256 == task.lean.blob.sha256
    hand.send(task.ref, update, update)
    hand.hear(m.Received)
    hand.say(m.Done(ref=task.ref, record=record(download_bytes=3)))
    assert stage.until(UpdateReceived).record.download_bytes == 3


def test_a_record_of_another_blob_than_was_fetched_fails_the_task(stage: FleetStage) -> None:
    hand, update = stage.hand(), update_of(b"an update")
    hand.join()
    stage.until(AgentJoined)
    ref = stage.assign("by-hand", lean=b"tip")
    hand.say(m.Fetch(sha256=stage.state.sha256, offset=0, credit_bytes=3, chunk_bytes=3))
    hand.send(ref, update, update)
    hand.hear(m.Received)
    hand.say(m.Done(ref=ref, record=record(download_bytes=3)))
    assert f"its download_bytes are 3, but {len(STATE)} are known" in stage.until(TaskFailed).reason


def test_a_lean_file_that_is_gone_fails_the_task(stage: FleetStage) -> None:
    hand = stage.hand()
    hand.join()
    stage.until(AgentJoined)
    ref = stage.assign("by-hand", lean=b"tip")
    (stage.folder / "lean").unlink()
    hand.say(m.Fetch(sha256=blob("lean", b"tip").sha256, offset=0, credit_bytes=3, chunk_bytes=3))
    assert "cannot be read" in stage.until(TaskFailed).reason
    assert hand.hear(m.Cancel).ref == ref


def test_a_blob_that_is_not_offered_is_refused_before_the_first_task_and_ignored_after(stage: FleetStage) -> None:
    missing = m.Fetch(sha256="0" * 64, offset=0, credit_bytes=1, chunk_bytes=1)
    hand = stage.hand()
    hand.say(hello())
    hand.say(missing)
    assert "is not offered" in hand.hear(m.Refused).reason
    hand.say(m.Ready(provision_s=0.0, ship_s=0.0))
    hand.say(missing)
    hand.say(m.Goodbye(agent="by-hand", reason="enough"))
    stage.until(AgentLost)
    assert stage.events[-1].reason == "it left: enough"


def deeply_nested() -> bytes:
    tag, key, value = map(msgspec.msgpack.encode, ("type", "x", "goodbye"))
    return b"\x82" + key + b"\x91" * 50_000 + b"\xc0" + tag + value


GARBAGE = {
    "nothing": b"",
    "noise": b"\xc1\xff\x00garbage",
    "another message": msgspec.msgpack.encode({"type": "stop", "reason": "I am the controller"}),
    "a field of another type": msgspec.msgpack.encode({"type": "hello", "protocol": "one"}),
    "text that is none": msgspec.msgpack.encode({"type": "hello"}).replace(b"type", b"t\xffpe"),
    "a nest without end": deeply_nested(),
}


@pytest.mark.parametrize("frame", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_of_a_stranger_is_counted_and_disturbs_nobody(
    stage: FleetStage, frame: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    stranger, hand = stage.hand(), stage.hand()
    beats = connect(f"{stage.server.endpoint.rpartition(':')[0]}:{stage.server.beat_port}")
    with caplog.at_level(logging.WARNING):
        for socket in (stranger.channel.socket, stranger.channel.socket, beats.socket):
            socket.send(frame)
        stage.work(lambda: stage.fleet.refused["unreadable"] == 3, "three messages that cannot be read")
    beats.close(0)
    assert len(caplog.records) == 1, "a flood of garbage is no flood of log lines"
    assert stranger.hear(m.Refused).reason
    hand.join()
    assert stage.until(AgentJoined).agent == "by-hand"


def test_an_agent_that_talks_garbage_is_refused_and_counts_as_lost(stage: FleetStage) -> None:
    hand = stage.hand()
    hand.join()
    stage.until(AgentJoined)
    hand.channel.socket.send(b"\xc1")
    assert "could not be read" in stage.until(AgentLost).reason
    assert "could not be read" in hand.hear(m.Refused).reason


def test_closing_says_stop_and_a_second_time_nothing(stage: FleetStage) -> None:
    hand = stage.hand()
    hand.join()
    stage.until(AgentJoined)
    stage.fleet.close("enough for today")
    stage.fleet.close("enough for today")
    assert stage.server.closed
