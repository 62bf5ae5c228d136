"""A fleet without devices: clients are trained here, one after another, and a virtual clock says how long they took.

Every client of a round has a device of its own. What it learns is real, and the same as on real agents; its seconds are
those that the device and link profiles give for it, so a thousand rounds need nobody to wait for a link.
"""

from __future__ import annotations

import heapq
import select
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.blobs import blob_of
from harness.clock import VirtualClock
from harness.errors import FederaBenchError, TrainerError
from harness.fleets.virtual_seconds import VirtualSeconds
from harness.learning.measured import Measured, measured
from harness.learning.spec import Trainer
from harness.rounds.commands import AssignTask, CancelTask
from harness.rounds.events import AgentJoined, AnyEvent, TaskFailed, UpdateReceived

LONGEST_WAIT_S = 0.5


@dataclass(frozen=True)
class Job:
    """A task that was given, and where its files are."""

    task: AssignTask
    state: Path
    seed: int
    update: Path
    from_s: float


class VirtualFleet:
    """Implements :class:`harness.fleets.Fleet` in this process, on a virtual clock.

    ``shards`` go by client; ``init_bytes`` is what each device is shipped once, 0 where a method ships nothing.
    """

    def __init__(
        self,
        devices: int,
        trainer: Trainer,
        shards: dict[int, Path],
        seconds: VirtualSeconds,
        clock: VirtualClock,
        init_bytes: int = 0,
    ) -> None:
        self._trainer = trainer
        self._shards = shards
        self._seconds = seconds
        self._clock = clock
        ship_s = seconds.shipping_s(init_bytes) if init_bytes else 0.0
        self._coming: list[AnyEvent] = [
            AgentJoined(at_s=clock.now_s(), agent=name, host=name, provision_s=0.0, ship_s=ship_s)
            for name in (f"device-{number}" for number in range(1, devices + 1))
        ]
        self._waiting: deque[Job] = deque()
        self._finished: list[tuple[float, int, AnyEvent]] = []
        self._warm_up = True

    def assign(self, task: AssignTask, state: Path, seed: int, update: Path) -> None:
        """Have ``task.client`` trained from ``state``, from now on; its update lands in ``update``."""
        self._waiting.append(Job(task, state, seed, update, self._clock.now_s()))

    def cancel(self, task: CancelTask) -> None:
        """The client's update is not wanted any more."""
        self._waiting = deque(job for job in self._waiting if job.task.client != task.client)
        self._finished = [entry for entry in self._finished if entry[1] != task.client]
        heapq.heapify(self._finished)

    def wait(self, timeout_s: float, wake_fds: Sequence[int] = ()) -> list[AnyEvent]:
        """Train one client that waits; where none does, go on to what happens next, at most ``timeout_s`` ahead.

        While there is nothing to come the clock stands still, until a descriptor of ``wake_fds`` is readable.
        """
        if self._coming:
            events, self._coming = self._coming, []
            return events
        if self._waiting:
            self._train(self._waiting.popleft())
            return []
        if not self._finished:
            select.select(wake_fds, [], [], LONGEST_WAIT_S)
            return []
        if self._finished[0][0] > self._clock.now_s() + timeout_s:
            self._clock.advance_to(self._clock.now_s() + timeout_s)
            return []
        at_s, _, event = heapq.heappop(self._finished)
        self._clock.advance_to(at_s)
        return [event]

    def close(self, reason: str) -> None:
        """Nobody has to be told."""

    def _train(self, job: Job) -> None:
        """Train a client now, and know when it will have been done."""
        task = job.task
        try:
            done = self._work(job)
        except FederaBenchError as error:
            failed = TaskFailed(
                at_s=job.from_s,
                round=task.round,
                client=task.client,
                agent=task.agent,
                attempt=task.attempt,
                reason=str(error),
            )
            heapq.heappush(self._finished, (job.from_s, task.client, failed))
            return
        warm_up, self._warm_up = self._warm_up, False
        state_bytes, update = job.state.stat().st_size, blob_of(job.update)
        record = self._seconds.record(task, done, state_bytes, update.size_bytes, update.sha256, warm_up)
        done_s = job.from_s + record.total_s
        heapq.heappush(self._finished, (done_s, task.client, UpdateReceived(at_s=done_s, record=record)))

    def _work(self, job: Job) -> Measured:
        """The training itself; what goes wrong in it is the client's failure, as on a device.

        Raises:
            OSError: a file could not be read or written. The disk is the run's own: without it no client would go on.
        """
        shard, round = self._shards[job.task.client], job.task.round
        try:
            return measured(self._trainer, job.state, shard, job.update, job.seed, round)
        except (RuntimeError, ValueError) as error:
            raise TrainerError(f"{type(error).__name__}: {error}") from error
