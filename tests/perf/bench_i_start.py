"""How long the command takes to answer, and an agent to be ready; what each holds in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import psutil
from benchtools import command
from perf.base import Benchmark, Figure, Pace, Result, ratios
from stub_controller import StubController

from harness.protocol.messages import Hello, Ready, ToController

HELP, BARE = command("--help"), [sys.executable, "-c", "pass"]
HEAVY = "libtorch"
"""A library that a process has mapped which imported torch."""


@dataclass
class Held:
    """Bytes of memory, at the moment in question: what only this process holds, and its share of what several do."""

    help_bytes: list[float] = field(default_factory=list)
    agent_bytes: list[float] = field(default_factory=list)
    trainer_bytes: list[float] = field(default_factory=list)
    with_torch: list[float] = field(default_factory=list)


def run(pace: Pace) -> Result:
    """Each start is a new process; files are in the machine's cache, after the first that warms up."""
    held = Held()
    seconds = pace.side_by_side(
        {
            "a bare interpreter": lambda: _ended_s(BARE, []),
            "--help": lambda: _ended_s(HELP, held.help_bytes),
            "an agent greets": lambda: _agent_s(pace, Hello, Held()),
            "an agent is ready": lambda: _agent_s(pace, Ready, held),
        }
    )
    figures = [
        _figure("--help", seconds["--help"], at_most=0.3),
        _figure("an agent's start to its greeting", seconds["an agent greets"]),
        _figure('an agent\'s start to "ready"', seconds["an agent is ready"], at_most=1.0),
        _figure("a bare interpreter", seconds["a bare interpreter"]),
        Figure(
            name="--help over a bare interpreter",
            unit="",
            values=ratios(seconds["--help"], seconds["a bare interpreter"]),
        ),
        _megabytes("memory of --help, at most", held.help_bytes, pace),
        _megabytes("memory of an agent that is ready", held.agent_bytes, pace),
        _megabytes("memory of its trainer, a null trainer", held.trainer_bytes, pace),
        Figure(
            name="processes of a ready agent that hold torch",
            unit="",
            values=pace.counted(held.with_torch),
            at_most=0,
        ),
    ]
    missed = any(figure.reached is False for figure in figures)
    return Result(letter="i", figures=tuple(figures), remark=REMARK, profile=_imports() if missed else "")


def _imports() -> str:
    """The 25 imports that take --help the longest, with what they import, in microseconds."""
    ran = subprocess.run([HELP[0], "-X", "importtime", *HELP[1:]], capture_output=True, text=True, check=True)
    lines = [line for line in ran.stderr.splitlines() if line.count("|") == 2 and "[us]" not in line]
    slowest = sorted(lines, key=lambda line: -int(line.split("|")[1]))[:25]
    return "\n".join(["import time: self [us] | cumulative | imported package", *slowest])


def _ended_s(words: list[str], held_bytes: list[float]) -> float:
    """Seconds from the start of a process to its end; what it held at most is added to ``held_bytes``."""
    begun_s = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    ended_s = time.perf_counter()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{words} ended with {process.returncode}")
    held_bytes.append(1024.0 * used.ru_maxrss)
    return ended_s - begun_s


def _agent_s(pace: Pace, word: type[ToController], held: Held) -> float:
    """Seconds from the start of an agent's process until its controller has this word of it."""
    folder = Path(mkdtemp(dir=pace.folder))  # an empty cache: it fetches all of what it is provisioned with
    controller = StubController(folder)
    begun_s = time.perf_counter()
    with _agent(controller.server.endpoint, folder) as process:
        try:
            controller.until(word)
            said_s = time.perf_counter()
            _look(process.pid, held)
        finally:
            controller.server.close(0)
    return said_s - begun_s


@contextmanager
def _agent(endpoint: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = command("agent", "--connect", endpoint, "--name", "a1", "--cache", str(folder / "cache"))
    with (folder / "agent.log").open("wb") as log:
        process = subprocess.Popen(words, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _look(pid: int, held: Held) -> None:
    """What the agent and its trainer hold now, and how many of its processes hold torch."""
    agent = psutil.Process(pid)
    children = agent.children(recursive=True)
    trainers = [one for one in children if "agents.worker" in " ".join(one.cmdline())]
    held.agent_bytes.append(agent.memory_full_info().pss)
    held.trainer_bytes.append(sum(one.memory_full_info().pss for one in trainers))
    held.with_torch.append(sum(_has_torch(one) for one in [agent, *children]))


def _has_torch(process: psutil.Process) -> bool:
    return any(HEAVY in mapped.path for mapped in process.memory_maps())


def _figure(name: str, seconds: list[float], at_most: float | None = None) -> Figure:
    return Figure(name=name, unit="s", values=tuple(seconds), at_most=at_most)


def _megabytes(name: str, held_bytes: list[float], pace: Pace) -> Figure:
    return Figure(name=name, unit="MB", values=tuple(value / 1e6 for value in pace.counted(held_bytes)))


REMARK = (
    "Memory of an agent and of its trainer is their proportional set size (shared pages divided among those that "
    "share them) in the moment in which the agent is ready; that of `--help` is the largest resident set of its life."
)
BENCHMARK = Benchmark(
    letter="i",
    title="The start of the command and of an agent",
    what=(
        "`federa-bench --help` from its start to its end, and `federa-bench agent` from its start until its controller "
        'has its greeting, and until it has its "ready": it joined, fetched a base model of 0.7 MB and a shard into '
        "an empty cache, and its trainer is prepared. The trainer is the null trainer, so nothing imports torch: with "
        "a model, torch's own import and the model's size would be what is measured."
    ),
    run=run,
)
