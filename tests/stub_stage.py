"""A small controller and real agent processes for one test."""

import os
import select
import subprocess
from pathlib import Path

from stub_controller import StubController, blob, start_agent


class Stage:
    """A controller and the agents of one test; what is still running at its end is killed."""

    def __init__(self, tmp_path: Path) -> None:
        self.controller = StubController(tmp_path)
        self.cache, self.log = tmp_path / "cache", tmp_path / "agent.log"
        self.agents: list[subprocess.Popen[bytes]] = []

    def start(self, *, once: bool = False, **environ: str) -> subprocess.Popen[bytes]:
        """Start an agent; ``environ`` are variables beyond this process's."""
        variables = {**os.environ, **environ}
        self.agents.append(start_agent(self.controller, self.cache, self.log, once=once, environ=variables))
        return self.agents[-1]

    def children(self) -> list[int]:
        pid = self.agents[-1].pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def close(self) -> None:
        for agent in self.agents:
            agent.kill()
            agent.wait()
            agent.stdin.close()
        self.controller.server.close(0)
        self.controller.let_go()


def ended(pid: int) -> bool:
    """Wait for a process that is not our child to be gone."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(fd):
        return bool(select.select([fd], [], [], 30)[0])


def sha256_of(data: bytes) -> str:
    return blob("x", data).sha256
