"""Agents started on this machine for one run: the same program that runs on a device, over the same sockets.

A local agent ends when the pipe on its standard input closes, so none outlives a killed controller. One that dies is
started again, as systemd does on a device; one that dies a few times in a row without being of use is given up.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import NoAgentsError

MOST_STARTS = 5
"""An agent that ended so often, and was of no use meanwhile, has a fault of its own; its log tells."""


def local_names(count: int) -> list[str]:
    """What so many agents of this machine are called."""
    return [f"agent-{number}" for number in range(1, count + 1)]


@dataclass
class _Local:
    name: str
    argv: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    died_at_s: float | None = None
    starts: int = 0
    """Since an update of it was received last, with the start before that."""

    @property
    def gone(self) -> bool:
        return self.process is None or self.process.poll() is not None


@dataclass
class LocalAgents:
    """Agents ``agent-1``, ``agent-2``, ... with a cache each below ``cache`` and a log each below ``logs``.

    One that died is started again after ``restart_s``; at the end they have ``grace_s`` to go by themselves.
    ``keys``: the words that name an agent's keys on its command line, by agent name; none where sockets are plain.
    """

    endpoint: str
    count: int
    cache: Path
    logs: Path
    restart_s: float = 1.0
    grace_s: float = 5.0
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _agents: list[_Local] = field(default_factory=list)

    def start(self) -> None:
        """Start them all."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for name in local_names(self.count):
            argv = [sys.executable, "-m", "agents", "--connect", self.endpoint, "--name", name]
            argv += ["--cache", str(self.cache / name), "--once", "--stop-on-stdin-eof", "--no-doctor"]
            argv += self.keys.get(name, ())
            agent = _Local(name, argv, self.logs / f"{name}.log")
            self._agents.append(agent)
            self._launch(agent)

    def tend(self, *, needed: bool) -> None:
        """Start again what died a moment ago; ``needed`` if nobody else is there to do the work.

        Raises:
            NoAgentsError: they are needed, but each of them ended too often without being of use.
        """
        for agent in self._agents:
            if not agent.gone:
                continue
            if agent.died_at_s is None:
                agent.died_at_s = time.monotonic()
            if agent.starts < MOST_STARTS and time.monotonic() - agent.died_at_s >= self.restart_s:
                self._launch(agent)
        if needed and self._agents and all(agent.gone and agent.starts == MOST_STARTS for agent in self._agents):
            raise NoAgentsError(
                f"no agent is left: each of the {len(self._agents)} on this machine ended {MOST_STARTS} times; the end "
                f"of {self._agents[0].log} tells why; mend that, then go on with `federa-bench resume`"
            )

    def useful(self, name: str) -> None:
        """An update of this agent was received: whatever ended it before, it may be started as often again."""
        for agent in self._agents:
            if agent.name == name:
                agent.starts = min(agent.starts, 1)

    def stop(self) -> None:
        """Close their pipes; end by pid what has not gone by itself after a few seconds."""
        processes = [agent.process for agent in self._agents if agent.process is not None]
        for process in processes:
            if process.stdin is not None:
                process.stdin.close()
        limit_s = time.monotonic() + self.grace_s
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
        agent.died_at_s = None
        agent.starts += 1
