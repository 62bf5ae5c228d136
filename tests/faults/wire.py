"""A wire that can be bad: a TCP proxy between agents and a controller. It cuts, delays, loses, flips and stalls.

Agents are told the port of heartbeats and connect to it at the host they know, so the proxy listens on the controller's
ports, at another address of loopback. Where bytes are touched is drawn from (seed, connection, direction) and counted
in bytes of the stream, so it does not matter in which pieces they come.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from random import Random
from types import TracebackType
from typing import TypeVar

HERE = "127.0.0.2"
CONTROLLER = "127.0.0.1"
PIECE_BYTES = 16_384
Result = TypeVar("Result")


@dataclass(frozen=True)
class Mischief:
    """What a wire does to what it carries. ``*_every_bytes`` are means; 0 is never.

    ``delay_s`` is the longest that a piece waits; ``after_bytes`` of each stream are left alone.
    """

    cut_every_bytes: float = 0.0
    lose_every_bytes: float = 0.0
    lost_at_once_bytes: int = 100
    flip_every_bytes: float = 0.0
    delay_s: float = 0.0
    after_bytes: int = 0
    most: int = 1_000_000


KIND = Mischief()


@dataclass
class Stream:
    """One direction of one connection: where its bytes are cut, lost and flipped."""

    mischief: Mischief
    chance: Random
    done: Counter[str]
    at: int = 0
    due: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        every = self.mischief
        means = {"cut": every.cut_every_bytes, "lost": every.lose_every_bytes, "flipped": every.flip_every_bytes}
        self.means = {what: mean for what, mean in means.items() if mean > 0}
        self.due = {what: every.after_bytes + self._gap(what) for what in self.means}

    def carry(self, data: bytes) -> tuple[bytes, bool]:
        """What comes out at the other end, and whether the connection is cut after it."""
        out, position = bytearray(), 0
        while (event := self._next(self.at + len(data) - position)) is not None:
            step = min(int(self.due[event]) - self.at, len(data) - position)
            out += data[position : position + step]
            position, self.at = position + step, self.at + step
            self.due[event] = self.at + 1 + self._gap(event)
            self.done[event] += 1
            if event == "cut":
                return bytes(out), True
            taken = data[position : position + (self.mischief.lost_at_once_bytes if event == "lost" else 1)]
            out += b"" if event == "lost" else bytes(byte ^ (1 << self.chance.randrange(8)) for byte in taken)
            position, self.at = position + len(taken), self.at + len(taken)
        self.at += len(data) - position
        return bytes(out + data[position:]), False

    def _next(self, end: int) -> str | None:
        """What is due first before ``end``, if anything may still be done."""
        what = min(self.due, key=lambda name: self.due[name], default=None)
        if what is None or self.due[what] >= end or self.done.total() >= self.mischief.most:
            return None
        self.due = {name: max(position, self.at) for name, position in self.due.items()}
        return what

    def _gap(self, what: str) -> float:
        return self.chance.expovariate(1 / self.means[what])


class Connection:
    """Both ends of a connection that is carried, and what the agent said over it; one that is not open is silent."""

    def __init__(self, number: int, writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        self.number, self.said = number, bytearray()
        self.open = asyncio.Event()
        self.open.set()
        self._writers = writers

    def cut(self) -> None:
        """Both ends are told, at once, that it is over."""
        for writer in self._writers:
            writer.transport.abort()


class Wire:
    """A proxy for some ports, in a thread of its own. Use it as a context."""

    def __init__(self, mischief: Mischief = KIND, seed: int = 0) -> None:
        self.mischief, self.seed = mischief, seed
        self.done: Counter[str] = Counter()
        """What was done so far: cut, lost, flipped."""
        self.said: list[bytearray] = []
        """What agents said, byte by byte, in the order in which they connected."""
        self._connections: set[Connection] = set()
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Wire:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def carry(self, port: int) -> None:
        """Carry connections to this port of the controller, from now on."""
        self._do(self._listen(port))

    def cut(self) -> int:
        """Cut every connection that stands; how many."""
        return self._do(self._each(Connection.cut))

    def forget(self) -> int:
        """Carry nothing more over the connections that stand, and tell nobody: what a router does that restarts."""
        return self._do(self._each(lambda connection: connection.open.clear()))

    def _do(self, what: Coroutine[None, None, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(30)

    async def _each(self, what: Callable[[Connection], None]) -> int:
        standing = list(self._connections)
        for connection in standing:
            what(connection)
        return len(standing)

    async def _listen(self, port: int) -> None:
        self._servers.append(await asyncio.start_server(partial(self._serve, port), HERE, port))

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.open.set()
            connection.cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=10)

    async def _serve(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection(CONTROLLER, port)
        except OSError:
            writer.transport.abort()
            return
        connection = Connection(len(self.said), (writer, up_writer))
        self.said.append(connection.said)
        self._connections.add(connection)
        up = asyncio.ensure_future(self._carry(connection, reader, up_writer, "up"))
        down = asyncio.ensure_future(self._carry(connection, up_reader, writer, "down"))
        try:
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
        finally:
            connection.cut()
            self._connections.discard(connection)
            for way in (up, down):
                way.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _carry(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str
    ) -> None:
        chance = Random(f"{self.seed}:{connection.number}:{way}")
        stream = Stream(self.mischief, chance, self.done)
        while data := await reader.read(PIECE_BYTES):
            if way == "up":
                connection.said += data
            if self.mischief.delay_s:
                await asyncio.sleep(chance.uniform(0, self.mischief.delay_s))
            data, cut = stream.carry(data)
            await connection.open.wait()
            writer.write(data)
            await writer.drain()
            if cut:
                return
