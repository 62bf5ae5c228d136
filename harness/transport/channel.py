"""An agent's sockets: DEALER."""

from __future__ import annotations

import secrets
from typing import Any

import zmq

from harness.errors import TransportError
from harness.protocol.messages import Message
from harness.transport.limits import MAX_FRAME_BYTES, fault_of
from harness.transport.monitor import next_event
from harness.transport.security import CurveClient, NoSecurity, Security
from harness.transport.wire import Arrival, arrival_of, configure, frames_of, readable, received, sent, wire_bytes_of

WATCHED = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
UNANSWERED = 3
"""So many handshakes in a row that broke off without a word: chance is no longer likely."""


class Channel:
    """One socket of an agent, with a random routing id, and its counts of bytes. Make one with :func:`connect`."""

    def __init__(
        self, context: zmq.Context[Any], socket: zmq.Socket[bytes], monitor: zmq.Socket[bytes], security: Security
    ) -> None:
        self._context, self._security = context, security
        self.socket, self.monitor = socket, monitor
        self.sent_wire_bytes = self.received_wire_bytes = 0
        self._stands = False
        self._breaks = self._unanswered = 0
        self._refusal: str | None = None

    def send(self, message: Message, payload: bytes | memoryview | None = None) -> None:
        """Queue a message; it leaves once the connection stands."""
        frames = frames_of(message, payload)
        try:
            sent(self.socket, frames)
        except zmq.ZMQError as error:
            raise TransportError(f"a message to the controller could not be sent: {error}") from None
        self.sent_wire_bytes += wire_bytes_of(*frames)

    def receive(self) -> list[Arrival]:
        """Messages that are here, without waiting; those with too many frames are dropped."""
        if not readable(self.socket):
            return []  # to take nothing from a socket costs more than to ask
        good = [arrival_of(frames, b"", beat=False) for frames in received(self.socket) if _fits(frames)]
        self.received_wire_bytes += sum(arrival.wire_bytes for arrival in good)
        return good

    def broken(self) -> bool:
        """Whether the connection broke since this was asked last."""
        self._watch()
        broke, self._breaks = self._breaks > 0, 0
        return broke

    def refused(self) -> str | None:
        """Why the controller turned this agent away in the handshake since this was asked last; None if it did not.

        A sentence for the log: its key is not allowed, one side encrypts and the other does not, or the controller's
        key is not the one given. A socket whose key is not allowed does not try again by itself: open another one now
        and then, for the list of allowed keys is re-read without a restart.
        """
        self._watch()
        refusal, self._refusal = self._refusal, None
        return refusal

    def close(self, linger_s: float = 1.0) -> None:
        """Close the socket; what was sent last has ``linger_s`` to leave."""
        self.socket.disable_monitor()
        self.monitor.close(linger=0)
        self.socket.close(linger=round(linger_s * 1000))
        self._context.term()

    def _watch(self) -> None:
        while readable(self.monitor):
            event = next_event(self.monitor)
            # What cannot be decrypted ends a connection that stands. libzmq 4.3.5 may not say DISCONNECTED then,
            # nor close it, and nothing comes over it any more.
            damaged = self._stands and event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
            if damaged or event == zmq.EVENT_DISCONNECTED:
                self._stands = False
                self._breaks += 1
            elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._stands = True
                self._unanswered = 0
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                self._refusal = self._not_allowed()
            elif event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
                self._refusal = self._unlike()
            elif event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                self._unanswered += 1
                if self._unanswered == UNANSWERED:
                    self._refusal = self._broken_off()

    def _not_allowed(self) -> str:
        told = f"'{self._security.name} {self._security.own.public}'" if isinstance(self._security, CurveClient) else ""
        return f"the controller does not allow this agent's key; allow it there: federa-bench keys allow {told}"

    def _unlike(self) -> str:
        if isinstance(self._security, CurveClient):
            return "the controller does not encrypt; give it --keys, or start this agent without keys"
        return "the controller takes only agents with keys; make one with: federa-bench keys new NAME"

    def _broken_off(self) -> str:
        if not isinstance(self._security, CurveClient):
            return self._unlike()
        return (
            "the handshake with the controller breaks off each time: it has another key than the one given here (copy "
            "its controller.public anew), or does not encrypt (give it --keys), or somebody between the two cuts in"
        )


def _fits(frames: list[zmq.Frame]) -> bool:
    """A Provision names every client's data, hence a head as long as a frame may be."""
    return fault_of([len(frame.buffer) for frame in frames], max_head_bytes=MAX_FRAME_BYTES) is None


def connect(endpoint: str, security: Security | None = None) -> Channel:
    """Open an agent's socket. It connects when the other side is there, and again when the connection breaks.

    Raises:
        TransportError: the endpoint is malformed.
    """
    security = security or NoSecurity()
    context: zmq.Context[Any] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    configure(socket)
    # Random at each start: a ROUTER silently drops a second connection of one routing id (no HANDOVER).
    socket.setsockopt(zmq.ROUTING_ID, b"a" + secrets.token_bytes(15))
    socket.setsockopt(zmq.RECONNECT_IVL, 200)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 10_000)
    security.protect(socket)
    monitor = socket.get_monitor_socket(WATCHED)
    channel = Channel(context, socket, monitor, security)
    try:
        socket.connect(endpoint)
    except zmq.ZMQError:
        channel.close(0)
        raise TransportError(f"{endpoint!r} is not an endpoint; write it like tcp://192.168.1.10:5555") from None
    return channel
