"""A real agent whose training takes a second and no processor: ``python sleeping_agent.py ENDPOINT NAME KEYS CACHE``.

Its shell, its trainer process and all files are those of any agent; the trainer sleeps where others compute, so that a
round's seconds are known beforehand, whatever the machine. With ``trainer`` as its only word it is that process.
"""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from agents.agent import Agent
from agents.tools import Tools
from agents.worker import main
from harness.keys.choice import AgentKeys, agent_security
from harness.learning.spec import PrepareSpec, Trained
from harness.learning.trainer import NullTrainer
from harness.protocol.messages import PROTOCOL, Hello

TRAINING_S = 1.0


class SleepingTrainer(NullTrainer):
    """A null trainer that takes its time."""

    def train(self, seed: int, round: int) -> Trained:
        """Sleep."""
        time.sleep(TRAINING_S)
        return super().train(seed, round)


def make_trainer(spec: PrepareSpec, base: Path | None, init: Path | None) -> SleepingTrainer:
    """The trainer of every spec."""
    return SleepingTrainer()


def agent(endpoint: str, name: str, keys: Path, cache: Path) -> Agent:
    """The shell; it is not examined by a doctor, and ends with the run."""
    hello = Hello(
        protocol=PROTOCOL, version="0", agent=name, host="here", cores=1, memory_bytes=1, session=secrets.token_hex(8)
    )
    security = agent_security(endpoint, name, AgentKeys(folder=keys))
    tools = Tools(keys=keys, cache=cache, examine=())
    command = (sys.executable, __file__, "trainer")
    return Agent(endpoint, hello, cache, once=True, trainer_command=command, security=security, tools=tools)


if __name__ == "__main__":
    if sys.argv[1:] == ["trainer"]:
        main(make_trainer)
    else:
        sys.exit(agent(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])).run().exit_code)
