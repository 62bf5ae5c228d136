"""Broken links, forgetful controllers and killed agents: real processes, and nothing done twice that was done."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stub_stage import Stage, sha256_of

from harness.profiles import LinkProfile
from harness.protocol import messages as m

SLOW = LinkProfile(name="slow", rate_mbps=0.5)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    stage.controller.shards = {"3": b"fine", "4": b"gate %s" % bytes(tmp_path / "gate")}
    yield stage
    stage.close()


def work_until(stage: Stage, true: Callable[[], object]) -> None:
    while not true():
        stage.controller.turn()


def break_the_link(stage: Stage) -> None:
    stage.controller.go_down()
    stage.controller.come_back()


def fetched(stage: Stage, state: bytes) -> int:
    return stage.controller.fetched_bytes.get(sha256_of(state), 0)


def said(stage: Stage, kind: type[m.Message]) -> int:
    return len([message for message in stage.controller.seen if isinstance(message, kind)])


def test_a_download_goes_on_over_a_new_connection(stage: Stage) -> None:
    stage.controller.link = SLOW
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(state := os.urandom(60_000))
    work_until(stage, lambda: fetched(stage, state) > 30_000)
    break_the_link(stage)
    record = stage.controller.until(m.Done).record
    assert fetched(stage, state) < 60_000 + 20_000
    assert (record.breaks, record.resumed_bytes) == (1, 0)
    assert record.download_s >= 0.99 * 60_000 * 8 / 2e6


def test_a_training_goes_on_while_the_connection_is_down(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    [trainer] = stage.children()
    ref = stage.controller.task(b"state", client=4)
    stage.controller.until_doing("training")
    stage.controller.go_down()
    (stage.controller.folder / "gate").touch()
    stage.controller.come_back()
    done = stage.controller.until(m.Done)
    assert (done.ref, done.record.breaks) == (ref, 1)
    assert stage.children() == [trainer]
    assert fetched(stage, b"state") == len(b"state")


def test_an_upload_goes_on_over_a_new_connection(stage: Stage) -> None:
    stage.controller.link = SLOW
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(state := os.urandom(60_000))
    work_until(stage, lambda: stage.controller.landed_bytes > 30_000)
    break_the_link(stage)
    record = stage.controller.until(m.Done).record
    assert (stage.controller.folder / "update").read_bytes() == state
    assert stage.controller.landed_bytes == 60_000
    assert (record.breaks, record.resumed_bytes) == (1, 0)


def test_an_unfinished_provision_goes_on_over_a_new_connection(stage: Stage) -> None:
    stage.controller.link = SLOW
    stage.controller.init = os.urandom(60_000)
    stage.start()
    work_until(stage, lambda: fetched(stage, stage.controller.init) > 30_000)
    break_the_link(stage)
    stage.controller.until(m.Ready)
    assert fetched(stage, stage.controller.init) < 60_000 + 20_000
    assert said(stage, m.Hello) == 2


def test_a_controller_that_forgot_gets_the_finished_update_at_once(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.accepts = False
    stage.controller.task(b"state")
    stage.controller.until(m.Offer)
    stage.controller.remembers, stage.controller.accepts = False, True
    break_the_link(stage)
    stage.controller.until(m.Ready, 2)
    ref = stage.controller.task(b"state", attempt=2)
    assert stage.controller.until(m.Done).ref == ref
    assert fetched(stage, b"state") == len(b"state")


def test_an_agent_that_counts_as_lost_takes_its_place_again(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.remembers = stage.controller.knows = False
    stage.controller.until(m.Hello, 2)
    stage.controller.knows = True
    stage.controller.until(m.Ready, 2)
    stage.controller.task(b"state")
    stage.controller.until(m.Done)


def test_after_a_kill_the_update_is_sent_on_and_not_trained_again(stage: Stage) -> None:
    stage.controller.link = SLOW
    agent = stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(state := os.urandom(60_000))
    work_until(stage, lambda: stage.controller.landed_bytes > 30_000)
    first = stage.controller.until(m.Report).record
    agent.kill()
    agent.wait()
    stage.start()
    stage.controller.until(m.Ready, 2)
    before = fetched(stage, state)
    stage.controller.task(state, attempt=2)
    record = stage.controller.until(m.Done).record
    assert (stage.controller.folder / "update").read_bytes() == state
    assert fetched(stage, state) == before
    assert 60_000 <= stage.controller.landed_bytes < 60_000 + 5_000
    assert 30_000 < record.resumed_bytes < 60_000
    same = [(one.download_s, one.load_s, one.train_s, one.serialise_s, one.warm_up) for one in (first, record)]
    assert same[0] == same[1]
    assert (record.attempt, record.total_s > first.total_s) == (2, True)


@pytest.mark.parametrize("name", ["update.safetensors", "update.journal"])
def test_what_a_killed_agent_left_damaged_is_trained_again(stage: Stage, name: str) -> None:
    agent = stage.start()
    stage.controller.until(m.Ready)
    stage.controller.accepts = False
    stage.controller.task(b"state")
    stage.controller.until(m.Offer)
    agent.kill()
    agent.wait()
    [path] = stage.cache.glob(f"agents/*/{name}")
    path.write_bytes(b"stale")
    stage.controller.accepts = True
    stage.start()
    stage.controller.until(m.Ready, 2)
    stage.controller.task(b"state", attempt=2)
    assert stage.controller.until(m.Done).record.resumed_bytes == 0
    assert fetched(stage, b"state") == 2 * len(b"state")


def test_after_a_kill_only_the_rest_of_a_state_is_fetched(stage: Stage) -> None:
    stage.controller.link = SLOW
    agent = stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(state := os.urandom(60_000))
    work_until(stage, lambda: fetched(stage, state) > 40_000)
    agent.kill()
    agent.wait()
    stage.start()
    stage.controller.until(m.Ready, 2)
    stage.controller.task(state, attempt=2)
    record = stage.controller.until(m.Done).record
    assert (stage.controller.folder / "update").read_bytes() == state
    assert 10_000 < record.resumed_bytes < 60_000
    assert record.download_bps == pytest.approx(8 * (60_000 - record.resumed_bytes) / record.download_s)
    assert record.download_bytes == 60_000


def test_a_state_that_is_here_whole_is_fetched_again(stage: Stage) -> None:
    agent = stage.start()
    stage.controller.until(m.Ready)
    stage.controller.task(b"state", client=4)
    stage.controller.until_doing("training")
    agent.kill()
    agent.wait()
    stage.start()
    stage.controller.until(m.Ready, 2)
    stage.controller.task(b"state", attempt=2)
    assert stage.controller.until(m.Done).record.resumed_bytes == 0
    assert fetched(stage, b"state") == 2 * len(b"state")


def test_while_the_controller_is_away_the_agent_waits_without_a_word(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    stage.controller.go_down()
    stage.controller.come_back()
    stage.controller.until(m.Ready, 2)
    stage.controller.task(b"state")
    stage.controller.until(m.Done)
    assert stage.log.read_text().count("connecting again") == 1


class Unheard(m.Message, frozen=True, kw_only=True, tag="unheard"):
    """Of a type that no agent knows."""


def test_a_message_that_cannot_be_read_costs_the_connection_alone(stage: Stage) -> None:
    stage.start()
    stage.controller.until(m.Ready)
    ref = stage.controller.task(b"state", client=4)
    stage.controller.until_doing("training")
    stage.controller.send(Unheard())
    stage.controller.until(m.Hello, 2)
    (stage.controller.folder / "gate").touch()
    assert stage.controller.until(m.Done).ref == ref
    assert "a message could not be read" in stage.log.read_text()
