"""Agents on this machine, as real processes: started again when they die, not for ever, and none left behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchtools import until
from stub_stage import ended

from harness.errors import NoAgentsError
from harness.fleets.local import MOST_STARTS, LocalAgents
from harness.protocol.codec import decode_to_controller
from harness.protocol.messages import Hello
from harness.transport import Server, listen


@pytest.fixture
def server() -> Iterator[Server]:
    server = listen()
    yield server
    server.close(0)


def agents(endpoint: str, folder: Path, count: int = 1) -> LocalAgents:
    return LocalAgents(endpoint, count, folder / "cache", folder / "logs", restart_s=0.0)


def greeted(server: Server, count: int = 1) -> set[str]:
    """The names of the next so many agents that say Hello."""
    names: set[str] = set()
    while len(names) < count:  # one that gets no answer says it again
        arrivals, _ = server.poll(30.0)
        assert arrivals, f"nobody came for 30 s; so far {names}"
        messages = [decode_to_controller(arrival.head) for arrival in arrivals]
        names |= {message.agent for message in messages if isinstance(message, Hello)}
    return names


def test_they_come_have_a_cache_and_a_log_each_and_go_when_they_are_let_go_of(server: Server, tmp_path: Path) -> None:
    local = agents(server.endpoint, tmp_path, count=2)
    local.start()
    pids = local.pids()
    assert greeted(server, 2) == set(pids) == {"agent-1", "agent-2"}
    assert (tmp_path / "cache" / "agent-2").is_dir()
    local.stop()
    assert all(ended(pid) for pid in pids.values())
    assert "its standard input ended" in (tmp_path / "logs" / "agent-1.log").read_text()
    assert local.pids() == {}


def test_one_that_is_killed_comes_again(server: Server, tmp_path: Path) -> None:
    local = agents(server.endpoint, tmp_path)
    local.start()
    assert greeted(server) == {"agent-1"}
    before = local.pids()["agent-1"]
    os.kill(before, signal.SIGKILL)

    def replaced() -> bool:
        local.tend(needed=True)
        return local.pids()["agent-1"] != before

    until(replaced, "a new process")
    assert greeted(server) == {"agent-1"}
    local.stop()
    assert ended(before)


def test_one_that_hangs_is_ended_by_its_pid(server: Server, tmp_path: Path) -> None:
    local = LocalAgents(server.endpoint, 1, tmp_path / "cache", tmp_path / "logs", grace_s=0.0)
    local.start()
    assert greeted(server) == {"agent-1"}
    pid = local.pids()["agent-1"]
    os.kill(pid, signal.SIGSTOP)
    local.stop()
    assert ended(pid)


def test_one_that_cannot_run_is_not_started_for_ever_and_its_log_is_named(tmp_path: Path) -> None:
    local = agents("no endpoint", tmp_path)
    local.start()
    pids = set(local.pids().values())

    def given_up() -> str:
        pids.update(local.pids().values())
        try:
            local.tend(needed=True)
        except NoAgentsError as error:
            return str(error)
        return ""

    until(given_up, "the end of all starts")
    log = tmp_path / "logs" / "agent-1.log"
    assert len(pids) == log.read_text().count("is no address") == MOST_STARTS
    assert str(log) in given_up()
    assert "federa-bench resume" in given_up()
    local.tend(needed=False)  # where others do the work, the run goes on without it
    local.stop()


def test_one_that_was_of_use_may_be_started_as_often_again(tmp_path: Path) -> None:
    local = agents("no endpoint", tmp_path)
    local.start()
    pids = set(local.pids().values())

    def started(count: int) -> bool:
        local.tend(needed=False)
        pids.update(local.pids().values())
        return len(pids) == count

    until(lambda: started(MOST_STARTS), "all starts but none to spare")
    local.useful("agent-1")
    local.useful("somebody else")
    until(lambda: started(2 * MOST_STARTS - 1), "as many again")

    def given_up() -> bool:
        try:
            local.tend(needed=True)
        except NoAgentsError:
            return True
        return False

    until(given_up, "the end of all starts")
    assert local.pids()["agent-1"] in pids
    local.stop()
