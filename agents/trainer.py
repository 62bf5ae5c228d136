"""The trainer as the shell has it: a process where one is needed, orders to it, and what it says as facts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from agents.cache import AgentCache
from agents.frames import Answer, Broken, Prepare, Prepared, Train, TrainedFrame
from agents.steps import AnyFact, StartTraining, TaskTrained, TrainerFailed, TrainerReady
from agents.trainer_process import TrainerProcess
from harness.errors import BlobError, TrainerError
from harness.protocol.messages import Provision

log = logging.getLogger("agents")


class Trainer:
    """At most one trainer process, on the files of a cache. ``wire_bytes`` tells what the line has moved by now."""

    def __init__(
        self, command: Sequence[str], cache: AgentCache, now: Callable[[], float], wire_bytes: Callable[[], int]
    ) -> None:
        self._command, self._cache, self._now, self._wire_bytes = command, cache, now, wire_bytes
        self._process: TrainerProcess | None = None

    @property
    def fds(self) -> list[int]:
        """To wait on: readable when the trainer has something to say."""
        return [] if self._process is None else [self._process.fd]

    def prepare(self, provision: Provision) -> list[AnyFact]:
        """Have the Provision's model built, in a new process if none is up or it has another number of threads."""
        threads = int(provision.prepare.get("threads", 1))
        try:
            base = self._cache.base_folder(provision.base)
            if self._process is not None and self._process.threads != threads:
                self.end()
            if self._process is None:
                self._process = TrainerProcess(threads, self._cache.log, self._command)
        except (BlobError, OSError) as error:
            return [self._failed(str(error))]
        log.info("prepare the trainer, process %d", self._process.pid)
        init = None if provision.init is None else str(self._cache.init)
        self._process.order(Prepare(spec=provision.prepare, base=str(base), init=init))
        return []

    def train(self, order: StartTraining) -> None:
        """Give a task to the trainer."""
        ref = order.task.ref
        log.info("train client %d, round %d, attempt %d", ref.client, ref.round, ref.attempt)
        self._cache.update.unlink(missing_ok=True)
        if self._process is not None:
            shard = self._cache.blobs.path(order.shard.sha256)
            files = {"state": str(self._cache.state), "shard": str(shard), "update": str(self._cache.update)}
            self._process.order(Train(seed=order.task.seed, round=ref.round, **files))

    def heard(self, ready: set[int]) -> list[AnyFact]:
        """What the trainer says, if its descriptor is ``ready``.

        One that fails is ended: half a training leaves nothing to build on.
        """
        if self._process is None or self._process.fd not in ready:
            return []
        try:
            answers, ended = self._process.read()
        except TrainerError as error:
            return [self._failed(str(error))]
        if not ended:
            return [self._answered(answer) for answer in answers]
        reason, self._process = self._process.died(), None
        return [TrainerFailed(at_s=self._now(), reason=reason, died=True)]

    def end(self) -> None:
        """Make sure that there is no process."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _answered(self, answer: Answer) -> AnyFact:
        match answer:
            case Prepared():
                return TrainerReady(at_s=self._now())
            case Broken():
                return self._failed(answer.reason)
            case TrainedFrame():
                return TaskTrained(at_s=self._now(), trained=answer, wire_bytes=self._wire_bytes())

    def _failed(self, reason: str) -> TrainerFailed:
        self.end()
        return TrainerFailed(at_s=self._now(), reason=reason, died=False)
