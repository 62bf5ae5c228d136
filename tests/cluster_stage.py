"""Clusters for tests: a real one of several nodes on this machine, and one that objects of this process play."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from benchtools import TINY

from harness.errors import TrainerError, UsageError
from harness.fleets.cluster import RayWorkforce
from harness.fleets.cluster_crew import Plan
from harness.fleets.cluster_holder import Holder
from harness.fleets.cluster_ray import Node
from harness.fleets.workforce import Ended, Work
from harness.launch import experiment_of
from harness.learning.workload import Sources, Workload, prepare
from harness.pipes.process import pinned

PROGRAM = str(Path(__file__).with_name("cluster_nodes.py"))
RAY = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_health_check_period_ms": "500", "RAY_health_check_timeout_ms": "10000"}


class Nodes:
    """The cluster's address, and what can be done to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.address = self._answer()

    def trainers(self) -> list[psutil.Process]:
        """The trainers of this cluster, and of no other on this machine: Ray names its workers after what they run."""
        found = []
        for process in psutil.Process(self._process.pid).children(recursive=True):
            with suppress(psutil.Error):
                found += [process] if "ray::ClusterTrainer" in " ".join(process.cmdline()) else []
        return found

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def do(self, word: str) -> None:
        """``lose`` or ``add`` a node, and wait until that is done."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._answer() == "done"


@contextmanager
def nodes(*cores: int) -> Iterator[Nodes]:
    """A cluster with a node for each number of cores."""
    # Ray's sockets are below it, and their paths must be short: no folder of pytest's.
    folder = Path(tempfile.mkdtemp(prefix="fb-ray-"))
    environment = {**os.environ, **RAY}
    environment.pop("RAY_ADDRESS", None)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, PROGRAM, str(folder), *map(str, cores)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
    try:
        yield Nodes(process)
    finally:
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018
        process.stdin.close()
        process.wait(60)
        process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


class Call:
    """A method of a played process: called at once, with answers as they are."""

    def __init__(self, cluster: Played, process: Any, name: str) -> None:
        self._cluster, self._process, self._name = cluster, process, name

    def remote(self, *arguments: Any) -> Any:
        if self._process.gone:
            return Lost("it is dead")
        if (lost := next((argument for argument in arguments if isinstance(argument, Lost)), None)) is not None:
            return lost
        call = (self._process.node, self._name)
        self._cluster.calls.append(call)
        if call in self._cluster.says:
            return self._cluster.says[call]
        try:
            return getattr(self._process.inner, self._name)(*arguments)
        except Exception as error:
            return Lost(str(error))


@dataclass
class Lost:
    """An answer that never comes."""

    why: str


@dataclass
class Process:
    """A played process on a node."""

    cluster: Played
    inner: Any
    node: str | None
    gone: bool = False

    def __getattr__(self, name: str) -> Call:
        return Call(self.cluster, self, name)


class Played:
    """A cluster without Ray: its processes are objects of this one, who answer when ``let_answer`` is called.

    On the node that is ``silent`` nothing starts; what ``says`` has of a node and a method is said instead of called.
    """

    def __init__(self, below: Path, silent: str = "", **cores: int) -> None:
        self.below, self.silent = str(below), silent
        self.cores = dict(cores)
        self.processes: list[Process] = []
        self.calls: list[tuple[str | None, str]] = []
        self.says: dict[tuple[str | None, str], Any] = {}
        self.coming: list[tuple[Any, Any]] = []
        self.put_bytes: list[bytes] = []
        self.closed = 0

    def nodes(self) -> list[Node]:
        return [Node(name, f"host-{name}", count) for name, count in self.cores.items()]

    def start(self, kind: type, node: str | None, cores: float, *arguments: Any, at_once: int = 1) -> Process:
        inner = kind(self.below) if kind is Holder else kind(*arguments)
        process = Process(self, inner, node, gone=node is not None and (node not in self.cores or node == self.silent))
        self.processes.append(process)
        return process

    def put(self, data: bytes) -> bytes:
        self.put_bytes.append(data)
        return data

    def listen(self, ref: Any, told: Any) -> None:
        self.coming.append((ref, told))

    def let_answer(self, lost: str | None = None) -> None:
        """The answer that has been coming longest is told; or is ``lost``."""
        ref, told = self.coming.pop(0)
        why = lost or (ref.why if isinstance(ref, Lost) else None)
        told(None if why else ref, why)

    def lose(self, node: str) -> None:
        """A node is gone, with all that runs there."""
        del self.cores[node]
        for process in self.processes:
            process.gone = process.gone or process.node == node

    def get(self, refs: Any, timeout_s: float = 0.0) -> dict[str, Any]:
        return {key: TrainerError(ref.why) if isinstance(ref, Lost) else ref for key, ref in refs.items()}

    def end(self, process: Process) -> None:
        process.gone = True

    def close(self) -> None:
        self.closed += 1
        for process in self.processes:
            if isinstance(process.inner, Holder):
                process.inner.clear()


class Stage:
    """A null workload with noise, on a played cluster."""

    def __init__(self, folder: Path, trainers: int = 4, threads: int = 1, silent: str = "", **cores: int) -> None:
        self.folder = folder
        experiment = experiment_of(TINY, ["train.trainer='null'", "train.null_noise=0.1"])
        self.workload: Workload = prepare(experiment, "federa", Sources(), folder / "work", lambda line: None)
        self.cluster = Played(folder, silent, **cores)
        try:
            self.force = RayWorkforce(self.cluster, self.workload, Plan(trainers, threads, 1))  # type: ignore[arg-type]
        except UsageError:
            self.cluster.close()
            raise

    def work(self, client: int, round: int = 1, prefix: str = "update") -> Work:
        return Work(
            number=100 * round + client,
            round=round,
            client=client,
            seed=client,
            state=str(self.workload.initial_state),
            shard=str(self.workload.shards[client]),
            update=str(self.folder / f"{prefix}-{round}-{client}"),
        )

    def told(self, lost: str | None = None) -> list[Ended]:
        """The next answer comes; what ended with it."""
        self.cluster.let_answer(lost)
        return self.force.ended()

    def ready(self) -> None:
        """All trainers have built their models."""
        for _ in range(len(self.cluster.coming)):
            assert self.told() == []

    def trained(self) -> list[str | None]:
        """The nodes that were given works."""
        return [node for node, call in self.cluster.calls if call == "train"]


@contextmanager
def stages(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Opens stages, which are closed at the end."""
    for name in pinned(1):
        patch.setenv(name, "1")  # which trainers set, and this process is one of them here
    opened: list[Stage] = []

    def open_stage(**settings: int) -> Stage:
        opened.append(Stage(folder, **settings))
        return opened[-1]

    yield open_stage
    for stage in opened:
        stage.force.close()
        stage.force.close()  # as whoever opened it and the fleet both do
        assert stage.cluster.closed == 1
