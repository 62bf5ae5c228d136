"""What the end-to-end tests share: the command as a process, and waiting for a fact instead of for time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import psutil

from harness.records import RoundRecord

TESTS = Path(__file__).parent
TINY = str(TESTS / "profiles" / "tiny.yaml")
NULL = ["--set", "train.trainer='null'"]
PATIENCE_S = 600.0
LONGEST_S = 1200.0
"""A process that has not ended by then hangs: no test is about how quick a machine is."""


def command(*arguments: str) -> list[str]:
    """The command line of ``federa-bench`` in this interpreter."""
    return [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())", *arguments]


def bench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run ``federa-bench`` to its end."""
    return subprocess.run(command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=LONGEST_S, check=False)


@contextmanager
def started(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """``federa-bench`` in the background; it and its agents are gone at the end."""
    process = subprocess.Popen(
        command(*arguments), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        family = [*agents_of(process.pid), process.pid] if process.poll() is None else []
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=30)


def agents_of(pid: int) -> list[int]:
    """Process ids of the living agents that a controller started."""
    agents = []
    for child in psutil.Process(pid).children():
        with suppress(psutil.NoSuchProcess):  # it ended meanwhile, or waits for its parent to notice
            if "agents" in child.cmdline():
                agents.append(child.pid)
    return agents


def until(fact: Callable[[], object], what: str) -> None:
    """Wait for a fact.

    Raises:
        AssertionError: it did not come about in ten minutes.
    """
    limit_s = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < limit_s, f"waited in vain for {what}"
        time.sleep(0.01)


def only_run(runs: Path) -> Path:
    """The one run folder in ``runs``."""
    (header,) = runs.glob("*/header.json")
    return header.parent


def rounds(run: Path) -> list[RoundRecord]:
    """The closed rounds of a run folder."""
    path = run / "rounds.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line, type=RoundRecord) for line in lines]


def hashes(run: Path) -> list[str]:
    """The state's hash after each round."""
    return [record.state_sha256 for record in rounds(run)]
