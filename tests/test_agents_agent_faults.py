"""What goes wrong with an agent, its trainer and its controller: real processes over real sockets on loopback."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_controller import StubController
from stub_stage import Stage, ended, sha256_of

from harness.profiles import LinkProfile
from harness.protocol import messages as m


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


@pytest.mark.parametrize(("shard", "reason"), [(b"raise", "the shard is empty"), (b"die", "killed by signal 9")])
def test_a_failing_trainer_is_reported_and_replaced(stage: Stage, shard: bytes, reason: str) -> None:
    stage.controller.shards = {"3": b"fine", "4": shard}
    stage.start()
    stage.controller.until(m.Ready)
    [before] = stage.children()
    bad = stage.controller.task(b"state", client=4)
    failed = stage.controller.until(m.Failed)
    assert failed.ref == bad
    assert reason in failed.reason
    stage.controller.task(b"state")
    assert stage.controller.until(m.Done).record.warm_up
    assert stage.children() != [before]


def test_a_task_of_an_unknown_client_fails_alone(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(b"state", client=9)
    assert "no shard of client 9" in stage.controller.until(m.Failed).reason
    stage.controller.task(b"state")
    stage.controller.until(m.Done)


def test_a_cancelled_training_ends_without_a_word(stage: Stage) -> None:
    stage.controller.shards = {"3": b"fine", "4": b"hang"}
    stage.start()
    stage.controller.until(m.Ready)
    cancelled = stage.controller.task(b"state", client=4)
    stage.controller.until_doing("training")
    stage.controller.send(m.Cancel(ref=cancelled))
    ref = stage.controller.task(b"state")
    assert stage.controller.until(m.Done).ref == ref
    assert not [message for message in stage.controller.seen if isinstance(message, m.Failed)]


def test_a_cancelled_upload_leaves_the_trainer_as_it_is(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.accepts = False
    cancelled = stage.controller.task(b"state")
    stage.controller.until(m.Offer)
    stage.controller.accepts = True
    stage.controller.send(m.Cancel(ref=cancelled))
    stage.controller.task(b"state", attempt=2)
    assert not stage.controller.until(m.Done).record.warm_up


def test_an_agent_killed_while_it_trains_leaves_no_process(stage: Stage) -> None:
    stage.controller.shards = {"3": b"hang"}
    agent = stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(b"state")
    stage.controller.until_doing("training")
    [trainer] = stage.children()
    agent.kill()
    assert ended(trainer)


def test_an_agent_killed_while_it_sends_is_followed_by_another_that_sends_the_rest(stage: Stage) -> None:
    stage.controller.link = LinkProfile(name="slow", rate_mbps=2.0)
    agent = stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(state := os.urandom(60_000))
    while not (stage.controller.landing and stage.controller.landing.incoming.landed_bytes > 20_000):
        stage.controller.turn()
    [trainer] = stage.children()
    agent.kill()
    assert ended(trainer)
    stage.controller.landing.close()
    stage.start()
    stage.controller.until(m.Ready, 2)
    stage.controller.task(state, attempt=2)
    stage.controller.until(m.Offer, 2)
    assert stage.controller.landing.incoming.landed_bytes > 20_000
    stage.controller.until(m.Done)
    assert (stage.controller.folder / "update").read_bytes() == state


def test_without_an_echo_the_agent_says_hello_again(stage: Stage) -> None:
    stage.controller.lost_after_s = 0.3
    stage.controller.answer_beats = False
    stage.start()
    first = stage.controller.until(m.Hello)
    id = stage.controller.peer
    assert stage.controller.until(m.Hello, 2).session == first.session
    assert stage.controller.peer != id


def test_a_restarted_controller_gets_the_agent_back(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    endpoint = stage.controller.server.endpoint
    stage.controller.server.close(0)
    stage.controller = StubController(stage.controller.folder, endpoint=endpoint)
    stage.controller.until(m.Ready)
    stage.controller.task(b"state")
    stage.controller.until(m.Done)
    assert stage.controller.fetched_bytes.keys() == {sha256_of(b"state")}


def test_an_agent_for_one_run_ends_with_it(stage: Stage) -> None:
    agent = stage.start(once=True)
    stage.controller.until(m.Ready)
    stage.controller.send(m.Stop(reason="done"))
    assert agent.wait(30) == 0


def test_another_agent_waits_for_the_next_run(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.send(m.Stop(reason="done"))
    stage.controller.until(m.Hello, 2)


def test_a_refused_agent_says_so_and_ends(stage: Stage) -> None:
    agent = stage.start()
    stage.controller.until(m.Ready)
    stage.controller.send(m.Refused(reason="it is too old"))
    assert agent.wait(30) == 1
