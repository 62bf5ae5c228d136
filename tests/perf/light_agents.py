"""Many agents in one process, that say what agents say and do nothing: how a controller fares with them is its own.

    python light_agents.py ENDPOINT COUNT < KEYS     ends when the run does

They speak the protocol over encrypted sockets, two each as agents have, heartbeats included: they join, fetch every
state they are given, and send it back as their update, with a record as long as a real one. They keep no file, hash
nothing (the update's hash is the state's), start no trainer, and have no sensors.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import zmq

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from harness.protocol import messages as m
from harness.protocol.codec import decode_beat, decode_to_agent, encode
from harness.protocol.transfer import WINDOW_BYTES
from harness.records import ClientRecord
from harness.timeline import Offset, Timeline
from harness.transport import CurveClient, KeyPair, new_pair

Said = tuple[m.Message, "memoryview | None"]


class LightKeys(msgspec.Struct, frozen=True):
    """The controller's public key, and the secret and public keys of the agents."""

    controller: str
    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def made(cls, controller: str, count: int) -> LightKeys:
        """New pairs."""
        return cls(controller, tuple((pair.public, pair.secret) for pair in (new_pair() for _ in range(count))))


def named(number: int) -> str:
    """What the agent of this number is called."""
    return f"light-{number:04}"


class LightAgent:
    """One agent: what it says to each message."""

    def __init__(self, number: int) -> None:
        self.name, self.session = named(number), f"{number:016x}"
        self.beat_port: int | None = None
        self.heartbeat_s = 1.0
        self.stopped = False
        self._task: m.Task | None = None
        self._state, self._sent, self._arrived_s = bytearray(), 0, 0.0
        self._offset: Offset | None = None

    def echoed(self, echo: m.BeatEcho) -> None:
        """A heartbeat was answered: that tells how the clocks are apart."""
        now_s = time.monotonic()
        self._offset = Offset(offset_s=echo.sent_s - now_s, uncertainty_s=(now_s - echo.beat_sent_s) / 2)

    def hello(self) -> m.Hello:
        """Its first message."""
        return m.Hello(
            protocol=m.PROTOCOL,
            version="0",
            agent=self.name,
            host="light",
            cores=1,
            memory_bytes=1,
            session=self.session,
        )

    def answers(self, message: m.ToAgent, data: memoryview | None) -> Iterator[Said]:
        """What it says to a message."""
        match message:
            case m.Welcome():
                self.beat_port, self.heartbeat_s = message.beat_port, message.heartbeat_s
            case m.Provision():
                yield m.Ready(provision_s=0.1, ship_s=0.1), None
            case m.Task():
                self._task, self._state, self._arrived_s = message, bytearray(), time.monotonic()
                yield self._fetch(message.state, 0), None
            case m.Chunk() if self._task is not None and data is not None:
                yield from self._landed(self._task, data)
            case m.Accept() | m.Credit() if self._task is not None:
                begin = message.offset if isinstance(message, m.Accept) else self._sent
                end = begin + message.credit_bytes if isinstance(message, m.Accept) else message.limit
                yield from self._chunks(self._task.state.sha256, begin, min(end, len(self._state)))
            case m.Received() if self._task is not None:
                task, self._task = self._task, None
                yield m.Done(ref=task.ref, record=self._record(task)), None
            case m.Stop() | m.Refused():
                self.stopped = True

    def _landed(self, task: m.Task, data: memoryview) -> Iterator[Said]:
        """Another chunk of the state; after the last one the update is offered, for it is the same."""
        self._state += data
        size_bytes = len(self._state)
        if size_bytes == task.state.size_bytes:
            yield m.Report(ref=task.ref, record=self._record(task)), None
            yield m.Offer(ref=task.ref, blob=m.BlobRef(name="update", **_hash_and_size(task.state))), None
        elif size_bytes % WINDOW_BYTES == 0:
            yield self._fetch(task.state, size_bytes), None

    def _fetch(self, state: m.BlobRef, offset: int) -> m.Fetch:
        window_bytes = min(WINDOW_BYTES, state.size_bytes - offset)
        return m.Fetch(sha256=state.sha256, offset=offset, credit_bytes=window_bytes, chunk_bytes=m.MAX_CHUNK_BYTES)

    def _chunks(self, sha256: str, begin: int, end: int) -> Iterator[Said]:
        view, self._sent = memoryview(self._state), end
        for offset in range(begin, end, m.MAX_CHUNK_BYTES):
            data = view[offset : min(end, offset + m.MAX_CHUNK_BYTES)]
            yield m.Chunk(sha256=sha256, offset=offset), data

    def _record(self, task: m.Task) -> ClientRecord:
        """What a real agent measures of a task, all of it nearly nothing."""
        seconds = dict.fromkeys(("download_s", "load_s", "train_s", "serialise_s", "upload_s", "other_s"), 0.0)
        began_s = dict.fromkeys(("download", "load", "train", "serialise", "upload"), 0.0)
        return ClientRecord(
            round=task.ref.round,
            client=task.ref.client,
            agent=self.name,
            attempt=task.ref.attempt,
            samples=1,
            steps=0,
            tokens=0,
            total_s=0.0,
            provision_s=0.0,
            train_cpu_s=0.0,
            download_bytes=task.state.size_bytes,
            upload_bytes=task.state.size_bytes,
            wire_bytes=2 * task.state.size_bytes,
            download_bps=1e9,
            upload_bps=1e9,
            peak_rss_bytes=1,
            warm_up=False,
            timeline=Timeline(
                arrived_s=self._arrived_s, phase_at_s=began_s, download=self._offset, upload=self._offset
            ),
            update_sha256=task.state.sha256,
            **seconds,
        )


def _hash_and_size(blob: m.BlobRef) -> dict[str, Any]:
    return {"sha256": blob.sha256, "size_bytes": blob.size_bytes}


class Crowd:
    """The sockets of all of them, in one context and one loop."""

    def __init__(self, endpoint: str, count: int, keys: LightKeys) -> None:
        self._host, self._keys = endpoint.rpartition(":")[0], keys
        self._context: zmq.Context[Any] = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, 4096)
        self._poller = zmq.Poller()
        self._agents: dict[zmq.Socket[bytes], LightAgent] = {}
        self._hearts: dict[LightAgent, zmq.Socket[bytes]] = {}
        self._number = 0
        for number in range(count):
            agent = LightAgent(number)
            socket = self._connected(number, endpoint)
            self._agents[socket] = agent
            self._poller.register(socket, zmq.POLLIN)
            socket.send(encode(agent.hello()))

    def run(self) -> None:
        """Talk until the run is over."""
        beat_s = time.monotonic()
        while not all(agent.stopped for agent in self._agents.values()):
            for socket, _ in self._poller.poll(100):
                self._talk(socket, self._agents[socket])
            if time.monotonic() >= beat_s:
                beat_s = time.monotonic() + min(agent.heartbeat_s for agent in self._agents.values())
                self._beat()
        self._context.destroy(linger=0)

    def _talk(self, socket: zmq.Socket[bytes], agent: LightAgent) -> None:
        while socket.getsockopt(zmq.EVENTS) & zmq.POLLIN:
            head, *rest = socket.recv_multipart(zmq.DONTWAIT, copy=False)
            data = memoryview(rest[0].buffer) if rest else None
            for message, payload in agent.answers(decode_to_agent(head.buffer), data):
                socket.send_multipart([encode(message)] if payload is None else [encode(message), payload], copy=False)

    def _beat(self) -> None:
        """A heartbeat of each; the echoes of those before are dropped."""
        self._number += 1
        for number, agent in enumerate(self._agents.values()):
            if agent.beat_port is None:
                continue
            if agent not in self._hearts:
                self._hearts[agent] = self._connected(number, f"{self._host}:{agent.beat_port}")
            heart = self._hearts[agent]
            beat = m.Beat(
                agent=agent.name, session=agent.session, number=self._number, doing="idle", sent_s=time.monotonic()
            )
            heart.send(encode(beat))
            while heart.poll(0):
                echo = decode_beat(heart.recv())
                if isinstance(echo, m.BeatEcho):
                    agent.echoed(echo)

    def _connected(self, number: int, endpoint: str) -> zmq.Socket[bytes]:
        socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        CurveClient(named(number), KeyPair(*self._keys.pairs[number]), self._keys.controller).protect(socket)
        socket.connect(endpoint)
        return socket


if __name__ == "__main__":
    Crowd(sys.argv[1], int(sys.argv[2]), msgspec.json.decode(sys.stdin.buffer.read(), type=LightKeys)).run()
