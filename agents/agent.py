"""The agent's shell: one thread, one loop over sockets, the trainer's pipe and the clock. Decides nothing.

What happened becomes a fact for the :class:`agents.lifecycle.AgentMachine`; its orders are carried out here. Nothing in
the loop waits for long, so that heartbeats go on through every transfer and training. Imports neither torch nor numpy.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.cache import AgentCache
from agents.frames import Answer, Broken, Prepare, Prepared, Train, TrainedFrame
from agents.lifecycle import AgentMachine
from agents.line import Line
from agents.steps import (
    AnyFact,
    AnyOrder,
    Connected,
    ConnectionLost,
    DropTransfers,
    End,
    EndTrainer,
    FetchShaped,
    FillCache,
    MessageArrived,
    OfferUpdate,
    PrepareTrainer,
    Reconnect,
    Send,
    StartHeart,
    StartTraining,
    TaskTrained,
    TrainerFailed,
    TrainerReady,
)
from agents.trainer_process import COMMAND, TrainerProcess
from agents.transfers import Transfers
from agents.words import in_words
from harness.blobs import blob_of
from harness.errors import BlobError, TrainerError
from harness.protocol.codec import decode_to_agent
from harness.protocol.messages import (
    Accept,
    Chunk,
    Corrupt,
    Credit,
    Goodbye,
    Hello,
    Provision,
    Received,
)
from harness.transport import Arrival, Security

log = logging.getLogger("agents")

NOTHING_TO_DO_S = 60.0


@dataclass(frozen=True)
class Leave:
    """Reasons to end that come from outside: the byte (or b"", the end) read from ``fd``, and what each means."""

    fd: int
    meanings: dict[bytes, End]


class Agent:
    """One agent, from its start to its end.

    Raises:
        TransportError: the endpoint is malformed, or controller and agent do not understand each other.
        UsageError: an agent of this name already works for this controller here.
        OSError: the cache folder cannot be used.
    """

    def __init__(
        self,
        endpoint: str,
        hello: Hello,
        cache: Path,
        *,
        once: bool,
        leaves: tuple[Leave, ...] = (),
        trainer_command: Sequence[str] = COMMAND,
        security: Security | None = None,
    ) -> None:
        self._hello, self._leaves, self._trainer_command = hello, leaves, trainer_command
        self._now = time.monotonic
        self._machine = AgentMachine(hello, once=once)
        self._cache = AgentCache(cache, hello.agent, endpoint)
        self._line = Line(endpoint, hello.agent, hello.session, self._now, security)
        self._transfers = Transfers(self._line, self._cache, self._now)
        self._trainer: TrainerProcess | None = None
        self._end: End | None = None

    def run(self) -> End:
        """Work until the run, or the agent, is over; returns why it ended and with which exit code."""
        try:
            self._settle([Connected(at_s=self._now())])
            while self._end is None:
                self._turn()
            return self._end
        finally:
            self._end_trainer()
            self._line.close()
            self._transfers.drop()
            self._cache.close()

    def _turn(self) -> None:
        """Do what transfers may, then wait for what happens next."""
        facts, wait_s = self._transfers.pump()
        self._settle(facts)
        fds = [leave.fd for leave in self._leaves]
        if self._trainer is not None:
            fds.append(self._trainer.fd)
        ready = self._line.wait(fds, 0.0 if self._end else NOTHING_TO_DO_S if wait_s is None else wait_s)
        for arrival in self._line.receive():
            self._settle(self._arrived(arrival))
        if self._trainer is not None and self._trainer.fd in ready:
            self._settle(self._heard(self._trainer))
        if reason := self._line.tend(self._machine.doing):
            self._settle([ConnectionLost(at_s=self._now(), reason=reason)])
        self._notice_leaves(ready)

    def _settle(self, facts: list[AnyFact]) -> None:
        """Facts to the machine, its orders carried out, before anything else is looked at: no fact gets stale."""
        waiting = deque(facts)
        while waiting and self._end is None:
            for order in self._machine.handle(waiting.popleft()):
                waiting.extend(self._carry_out(order))

    def _arrived(self, arrival: Arrival) -> list[AnyFact]:
        message = decode_to_agent(arrival.head)
        if isinstance(message, (Chunk, Accept, Credit, Corrupt, Received)):
            return self._transfers.take(message, arrival.payload)
        return [MessageArrived(at_s=self._now(), message=message, wire_bytes=self._line.wire_bytes)]

    def _heard(self, trainer: TrainerProcess) -> list[AnyFact]:
        """What the trainer says. One that fails is ended: half a training leaves nothing to build on."""
        try:
            answers, ended = trainer.read()
        except TrainerError as error:
            return [self._trainer_failed(str(error))]
        if ended:
            self._trainer = None
            return [TrainerFailed(at_s=self._now(), reason=trainer.died(), died=True)]
        return [self._answered(answer) for answer in answers]

    def _answered(self, answer: Answer) -> AnyFact:
        match answer:
            case Prepared():
                return TrainerReady(at_s=self._now())
            case Broken():
                return self._trainer_failed(answer.reason)
            case TrainedFrame():
                update = blob_of(self._cache.update)
                wire_bytes = self._line.wire_bytes
                return TaskTrained(at_s=self._now(), trained=answer, update=update, wire_bytes=wire_bytes)

    def _trainer_failed(self, reason: str) -> TrainerFailed:
        self._end_trainer()
        return TrainerFailed(at_s=self._now(), reason=reason, died=False)

    def _end_trainer(self) -> None:
        if self._trainer is not None:
            self._trainer.end()
            self._trainer = None

    def _notice_leaves(self, ready: set[int]) -> None:
        for leave in self._leaves:
            if leave.fd in ready and (end := leave.meanings.get(os.read(leave.fd, 1))):
                self._line.send(Goodbye(agent=self._hello.agent, reason=end.reason))
                self._end = end

    def _carry_out(self, order: AnyOrder) -> list[AnyFact]:
        """Carry out an order; returns facts that are true at once."""
        match order:
            case Send(message):
                log.info("%s", in_words(message))
                self._line.send(message)
            case StartHeart(welcome):
                log.info("welcomed to run %s", welcome.run_id)
                self._line.start_heart(welcome)
            case FillCache(blobs):
                log.info("have %d files in the cache", len(blobs))
                self._transfers.fill_cache(blobs)
            case FetchShaped(blob, provision, task):
                return self._transfers.fetch(blob, provision, task)
            case OfferUpdate(offer, provision):
                return self._transfers.offer(offer, provision)
            case DropTransfers():
                self._transfers.drop()
            case PrepareTrainer(provision):
                return self._prepare_trainer(provision)
            case StartTraining():
                self._train(order)
            case EndTrainer():
                self._end_trainer()
            case Reconnect(reason):
                log.warning("%s; connecting again", reason)
                self._line.reopen()
                return [Connected(at_s=self._now())]
            case End():
                self._end = order
        return []

    def _prepare_trainer(self, provision: Provision) -> list[AnyFact]:
        threads = int(provision.prepare.get("threads", 1))
        try:
            base = self._cache.base_folder(provision.base)
            if self._trainer is not None and self._trainer.threads != threads:
                self._end_trainer()
            if self._trainer is None:
                self._trainer = TrainerProcess(threads, self._cache.log, self._trainer_command)
        except (BlobError, OSError) as error:
            return [self._trainer_failed(str(error))]
        log.info("prepare the trainer, process %d", self._trainer.pid)
        init = None if provision.init is None else str(self._cache.init)
        self._trainer.order(Prepare(spec=provision.prepare, base=str(base), init=init))
        return []

    def _train(self, order: StartTraining) -> None:
        ref = order.task.ref
        log.info("train client %d, round %d, attempt %d", ref.client, ref.round, ref.attempt)
        self._cache.update.unlink(missing_ok=True)
        if self._trainer is not None:
            shard = self._cache.blobs.path(order.shard.sha256)
            paths = {"state": self._cache.state, "shard": shard, "update": self._cache.update}
            files = {name: str(path) for name, path in paths.items()}
            self._trainer.order(Train(seed=order.task.seed, round=ref.round, **files))
