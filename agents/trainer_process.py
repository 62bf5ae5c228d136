"""The trainer process of an agent: :mod:`agents.worker`, and the answers that it gives."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from agents.frames import Answer, answer_of
from harness.pipes.process import VMSTAT
from harness.pipes.process import TrainerProcess as AnyTrainerProcess

COMMAND = (sys.executable, "-m", "agents.worker")


class TrainerProcess(AnyTrainerProcess[Answer]):
    """One that carries out :data:`agents.frames.Order`."""

    def __init__(self, threads: int, log: Path, command: Sequence[str] = COMMAND, vmstat: Path = VMSTAT) -> None:
        super().__init__(threads, log, command, answer_of, vmstat)
