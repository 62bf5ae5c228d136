"""The controller's sockets: ROUTER, one for all messages and one for heartbeats."""

from __future__ import annotations

import errno
import re
import resource
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import zmq

from harness.errors import TransportError
from harness.protocol.messages import Message
from harness.transport.admission import REREAD_S, Admission
from harness.transport.handshakes import Handshakes
from harness.transport.limits import RateLimits, fault_of
from harness.transport.security import CurveServer, NoSecurity, Security
from harness.transport.wire import Arrival, arrival_of, awaited, configure, frames_of, received, sent

LOOPBACK = "tcp://127.0.0.1:*"
DESCRIPTORS = 8192
"""Connections that say nothing hold a descriptor each until HANDSHAKE_IVL; they are not to keep agents out."""
RECEIVED_MESSAGES = 64
"""So many messages of a connection are held here; then TCP holds the sender back. None is lost."""
UNREAD_MESSAGES = 1024
"""So many wait for an agent that asks and does not read; its credit is 640 chunks of the smallest size."""


class Server:
    """The controller's sockets: main and beat. Make one with :func:`listen`."""

    def __init__(
        self,
        context: zmq.Context[Any],
        main: zmq.Socket[bytes],
        beat: zmq.Socket[bytes],
        admission: Admission | None = None,
    ) -> None:
        self._context, self._main, self._beat, self._admission = context, main, beat, admission
        self._limits, self._handshakes = RateLimits(), Handshakes([main, beat])
        self.endpoint = _bound(main)
        """Where agents connect to, with the real port."""
        self.port, self.beat_port = (int(_bound(socket).rpartition(":")[2]) for socket in (main, beat))
        self.refused: Counter[str] = Counter()
        """Messages dropped unread, by reason: frames, head, payload, rate, revoked; and handshakes: key, handshake."""
        self.closed = False

    def poll(self, timeout_s: float | None, fds: Sequence[int] = ()) -> tuple[list[Arrival], set[int]]:
        """Wait for messages or a readable file descriptor; returns both. Heartbeats stand before other messages.

        Returns early, with nothing, where keys were revoked. Handshakes and dropped messages do not end the wait.
        """
        limit_s = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            arrivals, ready = self._turn(limit_s, fds)
            late = limit_s is not None and time.monotonic() >= limit_s
            if arrivals or ready or late or (self._admission is not None and self._admission.has_revoked):
                return arrivals, ready

    def send(
        self, peer: bytes, message: Message, payload: bytes | memoryview | None = None, *, beat: bool = False
    ) -> bool:
        """Send to a peer; False where the peer is gone, or its key is not allowed any more."""
        if self._admission is not None and not self._admission.may_get((beat, peer)):
            return False
        try:
            sent(self._beat if beat else self._main, [peer, *frames_of(message, payload)])
        except zmq.ZMQError as error:
            if error.errno in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                return False
            raise TransportError(f"a message to an agent could not be sent: {error}") from None
        return True

    def known(self, peer: bytes) -> None:
        """This peer of the main socket said who it is: it may send more messages a second than a stranger."""
        self._limits.known((False, peer), time.monotonic())

    def name_of(self, user: str) -> str | None:
        """The name that this public key is allowed under; None on a plain server, where names have no keys."""
        return None if self._admission is None else self._admission.name_of(user)

    def newly_revoked(self) -> set[str]:
        """Public keys that lost their permission since this was asked last; their connections are cut already."""
        return set() if self._admission is None else self._admission.newly_revoked()

    def close(self, linger_s: float = 1.0) -> None:
        """Close the sockets; what was sent last has ``linger_s`` to leave. A second call does nothing."""
        if self.closed:
            return
        self.closed = True
        self._handshakes.close()
        for socket in (self._main, self._beat):
            socket.close(linger=round(linger_s * 1000))
        if self._admission is not None:
            self._admission.close()
        self._context.term()

    def _turn(self, limit_s: float | None, fds: Sequence[int]) -> tuple[list[Arrival], set[int]]:
        left_s = None if limit_s is None else max(0.0, limit_s - time.monotonic())
        sockets = [self._beat, self._main]
        if self._admission is not None:
            sockets.append(self._admission.socket)
            left_s = REREAD_S if left_s is None else min(left_s, REREAD_S)
        full, ready = awaited(sockets, fds, left_s)
        if self._admission is not None and (turned_away := self._admission.tend(time.monotonic())):
            self.refused["key"] += turned_away
            self._handshakes.refused(turned_away)
        if failed := self._handshakes.failed(time.monotonic()):
            self.refused["handshake"] += failed
        beats = self._drain(self._beat, beat=True) if self._beat in full else []
        messages = self._drain(self._main, beat=False) if self._main in full else []
        return [*beats, *messages], ready

    def _drain(self, socket: zmq.Socket[bytes], *, beat: bool) -> list[Arrival]:
        good = []
        for frames in received(socket):
            peer, rest = frames[0].bytes, frames[1:]
            user, reason = self._judge((beat, peer), rest)
            if reason is None:
                good.append(arrival_of(rest, peer, beat, user))
            else:
                self.refused[reason] += 1
        return good

    def _judge(self, line: tuple[bool, bytes], frames: list[zmq.Frame]) -> tuple[str, str | None]:
        """Whose message it is, and why it is dropped, if it is. Nothing of it is parsed for that."""
        user = ""
        if self._admission is not None and frames:
            if (admitted := self._admission.admit(line, frames[-1])) is None:
                return "", "revoked"
            user = admitted
        reason = fault_of([len(frame.buffer) for frame in frames])
        if not self._limits.allow(line, time.monotonic()):
            reason = reason or "rate"
        return user, reason


def listen(endpoint: str = LOOPBACK, security: Security | None = None, beat_endpoint: str | None = None) -> Server:
    """Open the controller's sockets. ``*`` as port picks a free one; the beat socket has a free port of the same host.

    Raises:
        TransportError: the endpoint is malformed, not of this machine, or in use.
    """
    _have_descriptors()
    security = security or NoSecurity()
    context: zmq.Context[Any] = zmq.Context()
    try:
        # Whoever answers for keys is there before anyone can ask.
        admission = Admission(context, security) if isinstance(security, CurveServer) else None
        where = (endpoint, beat_endpoint or f"{endpoint.rpartition(':')[0]}:*")
        main, beat = (_listening(context, security, one) for one in where)
    except BaseException:
        context.destroy(linger=0)
        raise
    return Server(context, main, beat, admission)


def _listening(context: zmq.Context[Any], security: Security, endpoint: str) -> zmq.Socket[bytes]:
    socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
    configure(socket)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    socket.setsockopt(zmq.RCVHWM, RECEIVED_MESSAGES)
    socket.setsockopt(zmq.SNDHWM, UNREAD_MESSAGES)
    socket.setsockopt(zmq.BACKLOG, 1024)
    security.protect(socket)
    _bind(socket, endpoint)
    return socket


def _have_descriptors() -> None:
    """Raise the soft limit of open files, as far as the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


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
