"""The controller's sockets: ROUTER, one for all messages and one for heartbeats."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from typing import Any

import zmq

from harness.errors import TransportError
from harness.protocol.messages import Message
from harness.transport.security import NoSecurity, Security
from harness.transport.wire import Arrival, arrival_of, configure, frames_of, received, wait

LOOPBACK = "tcp://127.0.0.1:*"


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
        frames = [peer, *frames_of(message, payload)]
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
        messages = received(socket)
        good = [it for frames in messages if (it := arrival_of(frames[1:], bytes(frames[0].buffer), beat))]
        self.refused_messages += len(messages) - len(good)
        return good


def listen(endpoint: str = LOOPBACK, security: Security | None = None, beat_endpoint: str | None = None) -> Server:
    """Open the controller's sockets. ``*`` as port picks a free one; the beat socket has a free port of the same host.

    Raises:
        TransportError: the endpoint is malformed, not of this machine, or in use.
    """
    context: zmq.Context[Any] = zmq.Context()
    sockets = [context.socket(zmq.ROUTER) for _ in range(2)]
    try:
        for socket, where in zip(sockets, (endpoint, beat_endpoint or f"{endpoint.rpartition(':')[0]}:*"), strict=True):
            configure(socket)
            socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            (security or NoSecurity()).protect_server(socket)
            _bind(socket, where)
    except TransportError:
        context.destroy(linger=0)
        raise
    return Server(context, *sockets)


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
    endpoint = socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")
    return re.sub(r"\[::ffff:([\d.]+)\]", r"\1", endpoint)  # an IPv4 address as people write it
