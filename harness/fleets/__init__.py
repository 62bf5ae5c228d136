"""Who does the work of a run: real agents over ZeroMQ; later a virtual fleet and a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from harness.learning.outgoing import Outgoing
from harness.rounds.commands import AssignTask, CancelTask
from harness.rounds.events import AnyEvent


class Fleet(Protocol):
    """What the controller needs of a fleet: tasks in, events out."""

    def assign(self, task: AssignTask, given: Outgoing, seed: int, update: Path) -> None:
        """Have ``task.agent`` train ``task.client`` from what it is ``given``; its update lands in ``update``."""

    def cancel(self, task: CancelTask) -> None:
        """The agent is to stop this task."""

    def wait(self, timeout_s: float, wake_fds: Sequence[int] = ()) -> list[AnyEvent]:
        """What happened, after at most ``timeout_s``; returns early when a descriptor of ``wake_fds`` is readable."""

    def close(self, reason: str) -> None:
        """Tell the agents that the run is over and let go of them."""
