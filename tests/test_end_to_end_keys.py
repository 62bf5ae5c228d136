"""Runs whose agents have keys, as people start them: the same weights, and nobody in without one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from benchtools import LONGEST_S, NULL, TINY, bench, command, hashes, only_run, rounds, until

from harness.keys import AllowedList, make_pair

RUN = ["run", TINY, *NULL, "--set", "train.null_noise=0.01"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The states of a run without keys."""
    folder = tmp_path_factory.mktemp("plain")
    result = bench(*RUN, "--rounds", "20", cwd=folder)
    assert result.returncode == 0, result.stderr
    return hashes(only_run(folder / "runs"))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Keys of a controller that allows d1 and d2, whose own keys are in the same folder."""
    make_pair(tmp_path / "keys", "controller")
    for name in ("d1", "d2"):
        AllowedList(tmp_path / "keys").add(make_pair(tmp_path / "keys", name))
    return tmp_path / "keys"


class Secured:
    """A controller with keys that waits for agents, and the agents that a test sends it."""

    def __init__(self, folder: Path, keys: Path, *options: str) -> None:
        self.folder, self.keys = folder, keys
        self.log = folder / "controller.log"
        self.controller = self._start(self.log, *RUN, "--external", "--keys", str(keys), *options)
        self.agents: list[subprocess.Popen[bytes]] = []
        until(lambda: "waiting for" in self.log.read_text(), "the endpoint")
        found = re.search(r"agents at (tcp://\S+)", self.log.read_text())
        assert found
        self.endpoint = found.group(1)

    def agent(self, log: str, *options: str) -> Path:
        """Start an agent; where it logs."""
        path = self.folder / log
        cache = ["--cache", str(self.folder / f"cache-{log}"), "--once"]
        self.agents.append(self._start(path, "agent", "--connect", self.endpoint, *cache, *options))
        return path

    def _start(self, log: Path, *words: str) -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            return subprocess.Popen(command(*words), cwd=self.folder, stdout=file, stderr=file)

    def close(self) -> None:
        for process in (self.controller, *self.agents):
            process.kill()
            process.wait()


@contextmanager
def secured(folder: Path, keys: Path, *options: str) -> Iterator[Secured]:
    stage = Secured(folder, keys, *options)
    try:
        yield stage
    finally:
        stage.close()


def test_agents_with_keys_end_with_the_same_weights_and_strangers_are_told_why_not(
    tmp_path: Path, keys: Path, plain: list[str]
) -> None:
    make_pair(tmp_path / "elsewhere", "d3")
    with secured(tmp_path, keys, "--rounds", "3") as stage:
        stranger = stage.agent(
            "d3.log", "--keys", str(tmp_path / "elsewhere"), "--controller-key", str(keys / "controller.public")
        )
        nobody = stage.agent("nobody.log", "--name", "d1")
        until(lambda: "does not allow this agent's key" in stranger.read_text(), "the refusal of an unknown key")
        until(lambda: "takes only agents with keys" in nobody.read_text(), "the refusal of no key")
        for name in ("d1", "d2"):
            stage.agent(f"{name}.log", "--keys", str(keys), "--name", name)
        assert stage.controller.wait(LONGEST_S) == 0, stage.log.read_text()
    assert hashes(only_run(tmp_path / "runs")) == plain[:3]
    line = (tmp_path / "elsewhere" / "d3.public").read_text().strip()
    assert f"federa-bench keys allow '{line}'" in stranger.read_text()
    assert f"federa-bench keys allow --keys {keys} 'NAME " in stage.log.read_text()


def test_a_device_that_is_revoked_in_a_run_is_lost_at_once_and_the_run_ends_as_if_it_had_not_been(
    tmp_path: Path, keys: Path, plain: list[str]
) -> None:
    slow = ("--set", "link={name: slow, rate_mbps: 300}")  # so that there is a run yet when the key is revoked
    with secured(tmp_path, keys, "--rounds", "20", *slow) as stage:
        logs = {
            name: stage.agent(f"{name}.log", "--key", str(keys / f"{name}.secret"), "--keys", str(keys))
            for name in ("d1", "d2")
        }
        until(lambda: (tmp_path / "runs").exists() and len(rounds(only_run(tmp_path / "runs"))) > 1, "two rounds")
        AllowedList(keys).remove("d2")
        until(lambda: "does not allow this agent's key" in logs["d2"].read_text(), "the refusal of a revoked key")
        assert stage.controller.wait(LONGEST_S) == 0, stage.log.read_text()
    run = only_run(tmp_path / "runs")
    assert "its key was revoked" in (run / "events.jsonl").read_text()
    assert hashes(run) == plain


def test_local_agents_of_a_secured_controller_have_keys_of_their_own_for_the_run(
    tmp_path: Path, keys: Path, plain: list[str]
) -> None:
    result = bench(*RUN, "--rounds", "3", "--keys", str(keys), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    run = only_run(tmp_path / "runs")
    assert hashes(run) == plain[:3]
    assert list((run / "work" / "keys").iterdir()) == []
    assert sorted(AllowedList(keys).names().values()) == ["d1", "d2"]


def test_a_controller_that_others_could_reach_does_not_start_without_keys(tmp_path: Path) -> None:
    environment = {**os.environ, "FEDERA_BENCH_KEYS": str(tmp_path / "none")}
    words = command("run", TINY, *NULL, "--bind", "tcp://0.0.0.0:*")
    result = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == (
        f"federa-bench: --bind tcp://0.0.0.0:* lets other machines in, but {tmp_path}/none/controller.secret is not "
        "there; make it with: federa-bench keys new controller\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_agent_does_not_leave_this_machine_without_keys(tmp_path: Path) -> None:
    environment = {**os.environ, "FEDERA_BENCH_KEYS": str(tmp_path / "none")}
    words = [sys.executable, "-m", "agents", "--connect", "tcp://192.0.2.1:5555", "--cache", str(tmp_path / "cache")]
    result = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "make one with: federa-bench keys new NAME" in result.stderr
    assert not (tmp_path / "cache").exists()
