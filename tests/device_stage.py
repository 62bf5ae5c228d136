"""A run as a lab has it: ``federa-bench run`` for agents that somebody else starts, each on a made board of its own."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchtools import LONGEST_S, TINY, command, only_run, until
from made_board import MadeBoard

LINK = "link={name: lab, rate_mbps: 5, latency_s: 0.002}"
"""Slow enough that a task takes some periods of the sensors."""


class Stage:
    """A controller that waits for agents, and those that a test gives it. All of them end with the context."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self.folder, self.log = folder, folder / "controller.log"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.controller = self._start(self.log, "run", TINY, "--external", "--set", LINK, *options)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    @property
    def run(self) -> Path:
        """The run's folder."""
        return only_run(self.folder / "runs")

    def agent(self, name: str, board: MadeBoard) -> None:
        """Start an agent on a board, once the controller waits for it."""
        until(lambda: "waiting for" in self.log.read_text(), "the endpoint")
        found = re.search(r"agents? at (tcp://\S+)", self.log.read_text())
        assert found
        words = ["--connect", found.group(1), "--name", name, "--sys-root", str(board.root), "--once"]
        self._start(self.folder / f"{name}.log", "agent", *words, "--cache", str(self.folder / f"cache-{name}"))

    def finish(self) -> Path:
        """Wait for the controller's end; the run's folder."""
        assert self.controller.wait(LONGEST_S) == 0, self.said()
        return self.run

    def said(self) -> str:
        """What everybody printed."""
        return "\n".join(f"{log.name}: {log.read_text()[-3000:]}" for log in sorted(self.folder.glob("*.log")))

    def _start(self, log: Path, *words: str) -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            self._processes.append(subprocess.Popen(command(*words), cwd=self.folder, stdout=file, stderr=file))
        return self._processes[-1]


@contextmanager
def boards(folder: Path, *names: str) -> Iterator[dict[str, MadeBoard]]:
    """A running AGX Orin for each name."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(MadeBoard(folder / name).run()) for name in names}
