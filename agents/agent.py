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

from msgspec.structs import replace

from agents.cache import AgentCache
from agents.equipment import Equipment
from agents.lifecycle import AgentMachine
from agents.line import Line
from agents.progress import Look, Progress
from agents.steps import (
    AnyFact,
    AnyOrder,
    ClearTask,
    ClocksCompared,
    Connected,
    ConnectionLost,
    DropTransfers,
    End,
    EndTrainer,
    Equip,
    FetchShaped,
    FillCache,
    KeepUpdate,
    MessageArrived,
    OfferUpdate,
    PrepareTrainer,
    Reconnect,
    ResumeTransfers,
    Send,
    StartHeart,
    StartTraining,
    Unequip,
    UpdateAcknowledged,
)
from agents.tools import Tools
from agents.trainer import Trainer
from agents.trainer_process import COMMAND
from agents.transfers import Transfers
from agents.watchdog import Notifier
from agents.words import in_words, status_of
from harness.errors import TransportError
from harness.protocol.codec import decode_to_agent
from harness.protocol.messages import Accept, Chunk, Corrupt, Credit, Goodbye, Hello, Received, Welcome
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
        tools: Tools | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        self._hello, self._leaves = hello, leaves
        self._now = time.monotonic
        self._cache = AgentCache(cache, hello.agent, endpoint)
        self._machine = AgentMachine(hello, once=once, kept=self._cache.outbox.load())
        self._line = Line(endpoint, hello.agent, hello.session, self._now, security)
        self._equipment = Equipment(tools or Tools(), self._line, hello.agent, endpoint, self._now)
        self._transfers = Transfers(self._line, self._cache, self._now, self._equipment.uplink_bps)
        self._trainer = Trainer(trainer_command, self._cache, self._now, lambda: self._line.wire_bytes)
        self._notifier, self._progress = notifier or Notifier(None, None), Progress()
        self._complaints: set[str] = set()
        self._between_runs = False
        self._end: End | None = None

    def run(self) -> End:
        """Work until the run, or the agent, is over; returns why it ended and with which exit code."""
        try:
            self._settle([Connected(at_s=self._now(), connection=self._line.connection)])
            self._notifier.ready(status_of(self._machine.doing, None))
            while self._end is None:
                self._turn()
            return self._end
        finally:
            self._notifier.stopping()
            self._trainer.end()
            self._equipment.unequip()
            self._line.close()
            self._transfers.drop()
            self._cache.close()
            self._notifier.close()

    def _turn(self) -> None:
        """Do what transfers may, then wait for what happens next."""
        facts, wait_s = self._transfers.pump()
        self._settle(facts)
        fds = [*(leave.fd for leave in self._leaves), *self._trainer.fds, *self._equipment.fds]
        ready = self._line.wait(fds, self._patience_s(wait_s))
        self._receive()
        self._settle(self._trainer.heard(ready))
        connection = self._line.connection
        if reason := self._line.tend(self._machine.doing):
            self._receive()  # what was said before it broke, such as that the run is over
            if self._line.connection == connection:
                self._settle([ConnectionLost(at_s=self._now(), reason=reason)])
        self._settle([ClocksCompared(at_s=it.at_s, exchange=it) for it in self._line.exchanges()])
        self._settle(self._equipment.tend(ready, self._machine))
        self._notice_leaves(ready)
        self._tell_progress()

    def _patience_s(self, wait_s: float | None) -> float:
        """How long to wait at most, where the transfers can wait for ``wait_s``."""
        waits = (NOTHING_TO_DO_S, wait_s, self._notifier.wait_s(self._now()))
        return 0.0 if self._end else min(wait_s for wait_s in waits if wait_s is not None)

    def _tell_progress(self) -> None:
        """The loop turned: feed the watchdog, unless nothing could bring on what is under way."""
        now_s, machine = self._now(), self._machine
        moves, trains = self._transfers.under_way, bool(self._trainer.fds)
        if self._progress.made(Look(machine.doing, machine.trainer, self._line.late_s(now_s), moves, trains), now_s):
            self._notifier.progress(now_s, status_of(machine.doing, machine.task.task.ref if machine.task else None))

    def _receive(self) -> None:
        """What the controller says. What cannot be read ends the connection: what follows it may be as wrong."""
        for arrival in self._line.receive():
            try:
                facts = self._arrived(arrival)
            except TransportError as error:
                if not self._machine.welcomed:
                    raise
                self._settle([ConnectionLost(at_s=self._now(), reason=str(error))])
                return
            self._settle(facts)

    def _settle(self, facts: list[AnyFact]) -> None:
        """Facts to the machine, its orders carried out, before anything else is looked at: no fact gets stale."""
        waiting = deque(facts)
        while waiting and self._end is None:
            for order in self._machine.handle(waiting.popleft()):
                waiting.extend(self._carry_out(order))

    def _arrived(self, arrival: Arrival) -> list[AnyFact]:
        message = decode_to_agent(arrival.head)
        if isinstance(message, Chunk | Accept | Credit | Corrupt | Received):
            return [self._with_vitals(fact) for fact in self._transfers.take(message, arrival.payload)]
        self._equipment.came_from(arrival.address)
        return [MessageArrived(at_s=self._now(), message=message, wire_bytes=self._line.wire_bytes)]

    def _with_vitals(self, fact: AnyFact) -> AnyFact:
        """The end of a task, with what the sensors told since it came."""
        if not isinstance(fact, UpdateAcknowledged) or self._machine.task is None:
            return fact
        return replace(fact, vitals=self._equipment.vitals(self._machine.task.arrived_s, fact.at_s))

    def _notice_leaves(self, ready: set[int]) -> None:
        for leave in self._leaves:
            if leave.fd in ready and (end := leave.meanings.get(os.read(leave.fd, 1))):
                self._line.send(Goodbye(agent=self._hello.agent, reason=end.reason))
                self._end = end

    def _carry_out(self, order: AnyOrder) -> list[AnyFact]:
        """Carry out an order; returns facts that are true at once."""
        match order:
            case Send(message):
                log.log(logging.DEBUG if isinstance(message, Hello) else logging.INFO, "%s", in_words(message))
                self._line.send(message)
            case StartHeart(welcome):
                self._welcomed(welcome)
            case Equip(provision):
                return self._equipment.equip(provision)
            case Unequip():
                self._equipment.unequip()
            case FillCache(blobs):
                log.info("have %d files in the cache", len(blobs))
                self._transfers.fill_cache(blobs)
            case FetchShaped(blob, provision, task):
                return self._transfers.fetch(blob, provision, task)
            case OfferUpdate(offer, provision):
                return self._transfers.offer(offer, provision)
            case KeepUpdate(kept):
                self._cache.outbox.keep(kept)
            case ClearTask():
                self._cache.clear_task()
            case DropTransfers():
                self._transfers.drop()
            case ResumeTransfers():
                self._transfers.resume()
            case PrepareTrainer(provision):
                return self._trainer.prepare(provision)
            case StartTraining():
                self._trainer.train(order)
            case EndTrainer():
                self._trainer.end()
            case Reconnect():
                return self._reconnect(order)
            case End():
                self._end = order
        return []

    def _welcomed(self, welcome: Welcome) -> None:
        log.info("%s run %s", "goes on with" if welcome.resumed else "welcomed to", welcome.run_id)
        self._complaints.clear()
        self._between_runs = False
        self._line.start_heart(welcome)
        self._equipment.welcomed(welcome)

    def _reconnect(self, order: Reconnect) -> list[AnyFact]:
        """Open a new connection. While the controller is away each reason is logged once, however long that takes."""
        if order.over:
            self._between_runs = True
            log.info("the run is over (%s); waiting for the next one", order.reason)
        elif not self._between_runs and not self._line.refused and order.reason not in self._complaints:
            self._complaints.add(order.reason)
            log.warning("%s; connecting again", order.reason)
        self._transfers.pause()
        self._line.reopen()
        return [Connected(at_s=self._now(), connection=self._line.connection)]
