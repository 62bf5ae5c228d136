"""A fleet without devices: a workforce trains the clients, and a virtual clock says how long they took.

Every client of a round has a device of its own. What it learns is real, and the same as on real agents; its seconds are
those that the device and link profiles give for it, so a thousand rounds need nobody to wait for a link.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.clock import VirtualClock
from harness.fleets.virtual_left import Left
from harness.fleets.virtual_seconds import VirtualSeconds
from harness.fleets.workforce import Ended, Work, Workforce
from harness.learning.outgoing import Outgoing
from harness.rounds.commands import AssignTask, CancelTask
from harness.rounds.events import AgentJoined, AnyEvent, TaskFailed, UpdateReceived

NOTHING_LEFT = Left()


@dataclass(frozen=True)
class Job:
    """A task that was given, and where its files are; ``number`` is its own in this run, in the order of tasks."""

    number: int
    task: AssignTask
    given: Outgoing
    seed: int
    update: Path
    from_s: float

    def down_bytes(self, held: str | None) -> int:
        """What travels to a device that was last given the state ``held``."""
        lean = self.given.lean
        if lean is not None and lean.since == held:
            return lean.path.stat().st_size
        return self.given.whole.stat().st_size - self.given.kept_bytes


@dataclass(frozen=True, order=True)
class Ending:
    """How a task will have ended, and what its device holds from then on; None: it begins anew."""

    at_s: float
    client: int
    event: UpdateReceived | TaskFailed = field(compare=False)
    held: str | None = field(compare=False)


class VirtualFleet:
    """Implements :class:`harness.fleets.Fleet` with a workforce, on a virtual clock.

    ``shards`` go by client; ``init_bytes`` is what each device is shipped once, 0 where a method ships nothing. At most
    ``fused`` clients are trained as one batch. The clock stands still while anybody trains, so that who trains, and how
    many at a time, changes nothing.

    The workforce is given whole states. What travels is counted as devices would have fetched it, each with a trainer
    of its own that holds the state of its last update that counted: ``left`` tells the hashes, where a run goes on, and
    who has trained in the open round. Those come last, so that its other clients go to the devices that they had.
    """

    def __init__(
        self,
        devices: int,
        workforce: Workforce,
        shards: dict[int, Path],
        seconds: VirtualSeconds,
        clock: VirtualClock,
        init_bytes: int = 0,
        left: Left = NOTHING_LEFT,
        fused: int = 1,
    ) -> None:
        self._workforce = workforce
        self._fused = fused
        self._shards = shards
        self._seconds = seconds
        self._clock = clock
        self._held = dict(left.held)
        ship_s = seconds.shipping_s(init_bytes) if init_bytes else 0.0
        self._coming: list[AnyEvent] = [
            AgentJoined(at_s=clock.now_s(), agent=name, host=name, provision_s=0.0, ship_s=ship_s)
            for name in _names(devices, left)
        ]
        self._jobs = 0
        self._waiting: list[Job] = []
        self._training: dict[int, Job] = {}
        self._finished: list[Ending] = []

    def assign(self, task: AssignTask, given: Outgoing, seed: int, update: Path) -> None:
        """Have ``task.client`` trained from what it is ``given``, from now on; its update lands in ``update``."""
        self._waiting.append(Job(self._jobs, task, given, seed, update, self._clock.now_s()))
        self._jobs += 1

    def cancel(self, task: CancelTask) -> None:
        """The client's update is not wanted any more; the device's trainer is stopped, and begins anew."""
        self._waiting = [job for job in self._waiting if job.task.client != task.client]
        self._training = {job.number: job for job in self._training.values() if job.task.client != task.client}
        self._finished = [ending for ending in self._finished if ending.client != task.client]
        self._held.pop(task.agent, None)
        heapq.heapify(self._finished)

    def wait(self, timeout_s: float, wake_fds: Sequence[int] = ()) -> list[AnyEvent]:
        """Have the clients trained that wait; when all are, go on to what happens next, at most ``timeout_s`` ahead.

        While there is nothing to come the clock stands still, until a descriptor of ``wake_fds`` is readable.
        """
        if self._coming:
            events, self._coming = self._coming, []
            return events
        self._send()
        if self._training or not self._finished:
            for ended in self._workforce.ended(wake_fds):
                if (job := self._training.pop(ended.number, None)) is not None:  # else nobody wants it any more
                    self._trained(job, ended)
            return []
        if self._finished[0].at_s > self._clock.now_s() + timeout_s:
            self._clock.advance_to(self._clock.now_s() + timeout_s)
            return []
        return [self._end(heapq.heappop(self._finished))]

    def close(self, reason: str) -> None:
        """Nobody has to be told, but those who train."""
        self._workforce.close()

    def _end(self, ending: Ending) -> AnyEvent:
        """It is so late that a task ends."""
        self._clock.advance_to(ending.at_s)
        event = ending.event
        agent = event.record.agent if isinstance(event, UpdateReceived) else event.agent
        self._held.pop(agent, None)
        if ending.held is not None:
            self._held[agent] = ending.held
        return event

    def _send(self) -> None:
        """Hand out what waits, in batches."""
        for start in range(0, len(self._waiting), self._fused):
            jobs = self._waiting[start : start + self._fused]
            self._training |= {job.number: job for job in jobs}
            self._workforce.send([self._work(job) for job in jobs])
        self._waiting = []

    def _work(self, job: Job) -> Work:
        task = job.task
        return Work(
            number=job.number,
            round=task.round,
            client=task.client,
            seed=job.seed,
            state=str(job.given.whole),
            shard=str(self._shards[task.client]),
            update=str(job.update),
        )

    def _trained(self, job: Job, ended: Ended) -> None:
        """A client was trained: know when it will have been done."""
        task = job.task
        if ended.done is None or ended.update is None:
            failed = TaskFailed(
                at_s=job.from_s,
                round=task.round,
                client=task.client,
                agent=task.agent,
                attempt=task.attempt,
                reason=ended.failed or "",
            )
            heapq.heappush(self._finished, Ending(job.from_s, task.client, failed, None))
            return
        down_bytes = job.down_bytes(self._held.get(task.agent))
        up_bytes = ended.update.size_bytes - job.given.kept_update_bytes
        warm_up, sha256 = ended.warm_up, ended.update.sha256
        record = self._seconds.record(task, ended.done, down_bytes, up_bytes, sha256, warm_up, job.from_s)
        done_s = job.from_s + record.total_s
        received = UpdateReceived(at_s=done_s, record=record)
        heapq.heappush(self._finished, Ending(done_s, task.client, received, job.given.sha256))


def _names(devices: int, left: Left) -> list[str]:
    """The names of all devices, in the order in which they join."""
    return sorted((f"device-{number}" for number in range(1, devices + 1)), key=lambda name: (name in left.done, name))
