"""Agents started on this machine for one run: the same program that runs on a device, over the same sockets.

A local agent ends when the pipe on its standard input closes, so none outlives a killed controller. One that dies is
started again, as systemd does on a device, a few times.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

RESTART_S = 1.0
MOST_STARTS = 5
"""An agent that ended so often has a fault of its own; its log tells."""
GRACE_S = 5.0


@dataclass
class _Local:
    name: str
    argv: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    died_at_s: float = 0.0
    starts: int = 0


@dataclass
class LocalAgents:
    """Agents ``agent-1``, ``agent-2``, ... with a cache each below ``cache`` and a log each below ``logs``."""

    endpoint: str
    count: int
    cache: Path
    logs: Path
    _agents: list[_Local] = field(default_factory=list)

    def start(self) -> None:
        """Start them all."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for number in range(1, self.count + 1):
            name = f"agent-{number}"
            argv = [sys.executable, "-m", "agents", "--connect", self.endpoint, "--name", name]
            argv += ["--cache", str(self.cache / name), "--once", "--stop-on-stdin-eof"]
            agent = _Local(name, argv, self.logs / f"{name}.log")
            self._agents.append(agent)
            self._launch(agent)

    def tend(self) -> None:
        """Start again what died a moment ago."""
        for agent in self._agents:
            if agent.process is None or agent.process.poll() is None or agent.starts >= MOST_STARTS:
                continue
            if not agent.died_at_s:
                agent.died_at_s = time.monotonic()
            elif time.monotonic() - agent.died_at_s >= RESTART_S:
                self._launch(agent)

    def stop(self) -> None:
        """Close their pipes; end by pid what has not gone by itself after a few seconds."""
        processes = [agent.process for agent in self._agents if agent.process is not None]
        for process in processes:
            if process.stdin is not None:
                process.stdin.close()
        limit_s = time.monotonic() + GRACE_S
        for process in processes:
            try:
                process.wait(max(0.1, limit_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._agents.clear()

    def pids(self) -> dict[str, int]:
        """Process ids by agent name."""
        return {agent.name: agent.process.pid for agent in self._agents if agent.process is not None}

    def _launch(self, agent: _Local) -> None:
        if agent.process is not None and agent.process.stdin is not None:
            agent.process.stdin.close()
        with agent.log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is for the controller, which then tells its agents.
            agent.process = subprocess.Popen(
                agent.argv, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        agent.died_at_s = 0.0
        agent.starts += 1
