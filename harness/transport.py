"""Sockets: the only place that imports zmq. ROUTER at the controller, DEALER at the agent, two of each.

Facts behind the options (measured with libzmq 4.3.5): a heartbeat behind a blob on one socket waits for the whole blob,
so beats have sockets of their own; MAXMSGSIZE limits a frame and not a message, so frames are counted as well; a ROUTER
without ROUTER_MANDATORY drops silently; 200 silent connections starve good peers until HANDSHAKE_IVL. High-water marks
are off because flow is controlled by credit in bytes (:mod:`harness.protocol.transfer`).
"""

from __future__ import annotations

import errno
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import zmq
from zmq.utils.monitor import recv_monitor_message

from harness.errors import TransportError
from harness.protocol.codec import encode
from harness.protocol.messages import (
    MAX_CHUNK_BYTES,
    MAX_FRAMES,
    Message,
)

LOOPBACK = "tcp://127.0.0.1:*"
BATCH = 64
"""At most so many messages of a socket are handed out at once, so that one busy peer cannot starve the rest."""


class Security(Protocol):
    """The seam for encryption and who is who: sets a socket's options before it is bound or connected."""

    def protect_server(self, socket: zmq.Socket[bytes]) -> None:
        """Set what a listening socket needs."""

    def protect_client(self, socket: zmq.Socket[bytes]) -> None:
        """Set what a connecting socket needs."""


@dataclass(frozen=True)
class NoSecurity:
    """Plain sockets: anyone who reaches the port may take part, hence loopback by default."""

    def protect_server(self, socket: zmq.Socket[bytes]) -> None:
        """Nothing to set."""

    def protect_client(self, socket: zmq.Socket[bytes]) -> None:
        """Nothing to set."""


@dataclass(frozen=True)
class Arrival:
    """A message that came: its frames, still encoded, and what it took on the wire.

    ``peer`` is the sender's routing id (empty at an agent), ``beat`` tells the heartbeat sockets from the main ones.
    """

    peer: bytes
    beat: bool
    head: memoryview
    payload: memoryview | None
    wire_bytes: int


def wire_bytes_of(*frames: bytes | memoryview) -> int:
    """Bytes of a message's frames on the wire: ZMTP 3.1 puts 2 bytes before a frame of up to 255 bytes, else 9."""
    return sum(len(frame) + (2 if len(frame) <= 255 else 9) for frame in frames)


def wait(sockets: Iterable[zmq.Socket[bytes]], fds: Iterable[int], timeout_s: float | None) -> set[int]:
    """Wait until a socket or a file descriptor can be read; returns the descriptors that can. None: no time limit."""
    poller = zmq.Poller()
    for item in (*sockets, *fds):
        poller.register(item, zmq.POLLIN)
    timeout_ms = None if timeout_s is None else max(0, round(timeout_s * 1000 + 0.5))
    return {item for item, _ in poller.poll(timeout_ms) if isinstance(item, int)}


class Server:
    """The controller's sockets: main and beat. Make one with :func:`listen`."""

    def __init__(self, context: zmq.Context[Any], main: zmq.Socket[bytes], beat: zmq.Socket[bytes]) -> None:
        self._context, self._main, self._beat = context, main, beat
        self.endpoint = _bound(main)
        """Where agents connect to, with the real port."""
        self.beat_port = int(_bound(beat).rpartition(":")[2])
        self.refused_messages = 0
        """Messages dropped because they had the wrong number of frames."""
        self.closed = False

    def poll(self, timeout_s: float | None, fds: Sequence[int] = ()) -> tuple[list[Arrival], set[int]]:
        """Wait for messages or a readable file descriptor; returns both. Heartbeats stand before other messages."""
        ready = wait((self._beat, self._main), fds, timeout_s)
        return [*self._drain(self._beat, beat=True), *self._drain(self._main, beat=False)], ready

    def send(self, peer: bytes, message: Message, payload: bytes | None = None, *, beat: bool = False) -> bool:
        """Send to a peer; False where the peer is gone."""
        frames = [peer, *_frames(message, payload)]
        try:
            (self._beat if beat else self._main).send_multipart(frames, zmq.DONTWAIT, copy=False)
        except zmq.ZMQError as error:
            if error.errno in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                return False
            raise TransportError(f"a message to an agent could not be sent: {error}") from None
        return True

    def close(self, linger_s: float = 1.0) -> None:
        """Close the sockets; what was sent last has ``linger_s`` to leave. A second call does nothing."""
        if self.closed:
            return
        self.closed = True
        for socket in (self._main, self._beat):
            socket.close(linger=round(linger_s * 1000))
        self._context.term()

    def _drain(self, socket: zmq.Socket[bytes], *, beat: bool) -> list[Arrival]:
        received = _receive(socket)
        good = [it for frames in received if (it := _split(frames[1:], bytes(frames[0].buffer), beat))]
        self.refused_messages += len(received) - len(good)
        return good


class Channel:
    """One socket of an agent, with a random routing id, and its counts of bytes. Make one with :func:`connect`."""

    def __init__(self, context: zmq.Context[Any], socket: zmq.Socket[bytes], monitor: zmq.Socket[bytes]) -> None:
        self._context = context
        self.socket, self.monitor = socket, monitor
        self.sent_wire_bytes = self.received_wire_bytes = 0

    def send(self, message: Message, payload: bytes | None = None) -> None:
        """Queue a message; it leaves once the connection stands."""
        frames = _frames(message, payload)
        try:
            self.socket.send_multipart(frames, zmq.DONTWAIT, copy=False)
        except zmq.ZMQError as error:
            raise TransportError(f"a message to the controller could not be sent: {error}") from None
        self.sent_wire_bytes += wire_bytes_of(*frames)

    def receive(self) -> list[Arrival]:
        """Messages that are here, without waiting; those with too many frames are dropped."""
        good = [arrival for frames in _receive(self.socket) if (arrival := _split(frames, b"", beat=False))]
        self.received_wire_bytes += sum(arrival.wire_bytes for arrival in good)
        return good

    def broken(self) -> bool:
        """Whether the connection broke since this was asked last."""
        breaks = 0
        while self.monitor.poll(0):
            breaks += bool(recv_monitor_message(self.monitor))
        return breaks > 0

    def close(self, linger_s: float = 1.0) -> None:
        """Close the socket; what was sent last has ``linger_s`` to leave."""
        self.socket.disable_monitor()
        self.monitor.close(linger=0)
        self.socket.close(linger=round(linger_s * 1000))
        self._context.term()


def listen(endpoint: str = LOOPBACK, security: Security | None = None, beat_endpoint: str | None = None) -> Server:
    """Open the controller's sockets. ``*`` as port picks a free one; the beat socket has a free port of the same host.

    Raises:
        TransportError: the endpoint is malformed, not of this machine, or in use.
    """
    context: zmq.Context[Any] = zmq.Context()
    sockets = [context.socket(zmq.ROUTER) for _ in range(2)]
    try:
        for socket, where in zip(sockets, (endpoint, beat_endpoint or f"{endpoint.rpartition(':')[0]}:*"), strict=True):
            _configure(socket)
            socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            (security or NoSecurity()).protect_server(socket)
            _bind(socket, where)
    except TransportError:
        context.destroy(linger=0)
        raise
    return Server(context, *sockets)


def connect(endpoint: str, security: Security | None = None) -> Channel:
    """Open an agent's socket. It connects when the other side is there, and again when the connection breaks.

    Raises:
        TransportError: the endpoint is malformed.
    """
    context: zmq.Context[Any] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    _configure(socket)
    # Random at each start: a ROUTER silently drops a second connection of one routing id (no HANDOVER).
    socket.setsockopt(zmq.ROUTING_ID, b"a" + secrets.token_bytes(15))
    socket.setsockopt(zmq.RECONNECT_IVL, 200)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 10_000)
    (security or NoSecurity()).protect_client(socket)
    monitor = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    channel = Channel(context, socket, monitor)
    try:
        socket.connect(endpoint)
    except zmq.ZMQError:
        channel.close(0)
        raise TransportError(f"{endpoint!r} is not an endpoint; write it like tcp://192.168.1.10:5555") from None
    return channel


def _configure(socket: zmq.Socket[bytes]) -> None:
    """Options of both sides."""
    for option, value in (
        (zmq.IPV6, 1),
        (zmq.MAXMSGSIZE, 4 * MAX_CHUNK_BYTES),
        (zmq.HANDSHAKE_IVL, 5_000),
        (zmq.LINGER, 1_000),
        (zmq.SNDHWM, 0),
        (zmq.RCVHWM, 0),
        (zmq.TCP_KEEPALIVE, 1),
        (zmq.TCP_KEEPALIVE_IDLE, 30),
    ):
        socket.setsockopt(option, value)


def _bind(socket: zmq.Socket[bytes], endpoint: str) -> None:
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        if error.errno == zmq.EADDRINUSE:
            reason = "is in use by another process; choose another with --bind or stop it"
        elif error.errno in (zmq.EADDRNOTAVAIL, errno.ENODEV):
            reason = "is not an address of this machine; choose another with --bind"
        else:
            reason = f"cannot be bound ({error.strerror}); write it like tcp://127.0.0.1:5555"
        raise TransportError(f"{endpoint} {reason}") from None


def _bound(socket: zmq.Socket[bytes]) -> str:
    return socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")


def _frames(message: Message, payload: bytes | None) -> list[bytes]:
    return [encode(message)] if payload is None else [encode(message), payload]


def _receive(socket: zmq.Socket[bytes]) -> list[list[zmq.Frame]]:
    messages: list[list[zmq.Frame]] = []
    while len(messages) < BATCH and socket.poll(0):
        messages.append(socket.recv_multipart(zmq.DONTWAIT, copy=False))
    return messages


def _split(frames: list[zmq.Frame], peer: bytes, beat: bool) -> Arrival | None:
    if not 1 <= len(frames) <= MAX_FRAMES:
        return None
    parts = [frame.buffer for frame in frames]
    return Arrival(peer, beat, parts[0], parts[1] if len(parts) > 1 else None, wire_bytes_of(*parts))
