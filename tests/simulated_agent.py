"""An agent whose machine, transfers and files are real; clock, sockets and trainer are played by a test."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulated_states import merged, trained_update
from simulated_wire import Net

from agents.cache import AgentCache
from agents.frames import TrainedFrame
from agents.heartbeat import Heart
from agents.lifecycle import AgentMachine
from agents.steps import (
    AnyFact,
    AnyOrder,
    ClearTask,
    Connected,
    ConnectionLost,
    DropTransfers,
    End,
    EndTrainer,
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
    TaskTrained,
    TrainerFailed,
    TrainerReady,
)
from agents.transfers import Transfers
from harness.blobs import blob_of
from harness.protocol import messages as m
from harness.protocol.codec import decode_to_agent, encode
from harness.transport import Arrival

JOIN_S, SETTLE_S = 10.0, 1.0


class PlayedAgent:
    """An agent from its start to its kill: its machine, transfers and files, and a trainer that a test ends."""

    def __init__(self, net: Net, name: str, cache: Path, start: int) -> None:
        self._net, self.name = net, name
        self.session = hashlib.sha256(f"{name} {start}".encode()).hexdigest()[:16]
        self._cache = AgentCache(cache, name, "tcp://nowhere:1")
        self.wire, self.wire_bytes = net.open(0.0), 0
        self.link_down_s = 0.0
        self._transfers = Transfers(self, self._cache, self._now)  # type: ignore[arg-type]
        self.trainer: PrepareTrainer | StartTraining | None = None
        self._held: bytes | None = None
        self._heart: Heart | None = None
        self._opened_s, self._connection = net.now_s, 1
        self.ends: list[End] = []
        hello = m.Hello(
            protocol=m.PROTOCOL, version="0", agent=name, host="h", cores=1, memory_bytes=1, session=self.session
        )
        self.machine = AgentMachine(hello, once=False, kept=self._cache.outbox.load())
        net.echo[self.session.encode()] = self.echo
        self.settle([Connected(at_s=net.now_s)])

    def _now(self) -> float:
        return self._net.now_s

    def send(self, message: m.Message, payload: bytes | None = None) -> None:
        if not self.wire.dead and not self._net.lost(message):
            self.wire.up.append((encode(message), payload))

    def settle(self, facts: list[AnyFact]) -> None:
        waiting = deque(facts)
        while waiting:
            for order in self.machine.handle(waiting.popleft()):
                waiting.extend(self._carry_out(order))

    def hear(self) -> None:
        """The next message over its connection."""
        head, payload = self.wire.down.popleft()
        message: Any = decode_to_agent(head)
        if isinstance(message, m.Chunk | m.Accept | m.Credit | m.Corrupt | m.Received):
            self.settle(self._transfers.take(message, None if payload is None else memoryview(payload)))
        else:
            self.settle([MessageArrived(at_s=self._net.now_s, message=message, wire_bytes=0)])

    def echo(self, echo: m.BeatEcho) -> None:
        if self._heart is not None and self._net.now_s >= self.link_down_s:
            self._heart.echoed(self._net.now_s)
            if not echo.known and self._net.now_s - self._opened_s > SETTLE_S:
                self.lose("the controller does not know this agent any more")

    def lose(self, reason: str) -> None:
        self.settle([ConnectionLost(at_s=self._net.now_s, reason=reason)])

    def tend(self) -> None:
        """What is due by the clock: heartbeats, patience, transfers."""
        now_s = self._net.now_s
        if now_s >= self.wire.notice_s:
            self.lose("the connection broke")
        elif self._heart is None and now_s - self._opened_s > JOIN_S:
            self.lose("the controller did not answer")
        elif self._heart is not None and self._heart.lost(now_s):
            self.lose("the controller was silent for too long")
        beat = None if self._heart is None else self._heart.beat(self.machine.doing, now_s)
        if beat is not None and now_s >= self.link_down_s:
            self._net.beats.append(Arrival(self.session.encode(), True, memoryview(encode(beat)), None, 0))
        facts, _ = self._transfers.pump()
        self.settle(facts)

    def end_trainer(self, *, well: bool) -> None:
        """The trainer comes to the end of its order."""
        order, self.trainer = self.trainer, None
        now_s = self._net.now_s
        if not well:
            self._held = None
            self.settle([TrainerFailed(at_s=now_s, reason="killed", died=True)])
        elif isinstance(order, PrepareTrainer):
            self.settle([TrainerReady(at_s=now_s)])
        elif isinstance(order, StartTraining):
            self._held, client = self._loaded(order.task), order.task.ref.client
            assert self._cache.blobs.path(order.shard.sha256).is_file()
            self._cache.update.write_bytes(trained_update(self._held, client, order.task.seed))
            self.settle([TaskTrained(at_s=now_s, trained=_told(blob_of(self._cache.update)), wire_bytes=0)])

    def _loaded(self, task: m.Task) -> bytes:
        """The state of a task, from the file that was fetched for it and what the trainer holds."""
        state = self._cache.state.read_bytes()
        if task.lean is not None and hashlib.sha256(state).hexdigest() == task.lean.blob.sha256:
            assert self._held is not None, "less than a state for a trainer that holds nothing"
            state = merged(self._held, self._cache.state)
        assert hashlib.sha256(state).hexdigest() == task.state.sha256
        return state

    def kill(self) -> None:
        del self._net.echo[self.session.encode()]
        self.wire.leave(self._net.random, self._net.now_s)
        self._transfers.drop()
        self._cache.close()

    def _carry_out(self, order: AnyOrder) -> list[AnyFact]:
        carry: dict[type, Callable[[Any], Any]] = {
            Send: lambda order: self.send(order.message),
            StartHeart: lambda order: self._start_heart(order.welcome),
            FillCache: lambda order: self._transfers.fill_cache(order.blobs),
            FetchShaped: lambda order: self._transfers.fetch(order.blob, order.provision, order.task),
            OfferUpdate: lambda order: self._transfers.offer(order.offer, order.provision),
            KeepUpdate: lambda order: self._cache.outbox.keep(order.kept),
            ClearTask: lambda _: self._cache.clear_task(),
            DropTransfers: lambda _: self._transfers.drop(),
            ResumeTransfers: lambda _: self._transfers.resume(),
            PrepareTrainer: self._give,
            StartTraining: lambda order: (self._cache.update.unlink(missing_ok=True), setattr(self, "trainer", order)),
            EndTrainer: lambda _: self._give(None),
            Reconnect: lambda _: self._reconnect(),
            End: self.ends.append,
        }
        facts = carry[type(order)](order)
        return facts if isinstance(facts, list) else []

    def _give(self, order: PrepareTrainer | None) -> None:
        """A trainer begins anew, or there is none."""
        self.trainer, self._held = order, None

    def _start_heart(self, welcome: m.Welcome) -> None:
        self._heart = Heart(
            self.name, self.session, welcome.heartbeat_s, welcome.lost_after_s, self._net.now_s, self._connection
        )

    def _reconnect(self) -> list[AnyFact]:
        self._transfers.pause()
        self.wire.leave(self._net.random, self._net.now_s)
        self.wire, self._heart = self._net.open(max(0.0, self.link_down_s - self._net.now_s)), None
        self._opened_s = self._net.now_s
        self._connection += 1
        return [Connected(at_s=self._net.now_s, connection=self._connection)]


def _told(update: m.BlobRef) -> TrainedFrame:
    return TrainedFrame(
        update=update,
        load_s=0.0,
        train_s=0.0,
        serialise_s=0.0,
        samples=1,
        steps=1,
        tokens=1,
        loss=None,
        cpu_s=0.0,
        peak_rss_bytes=1,
        warm_up=False,
    )
