"""An agent's sockets: DEALER."""

from __future__ import annotations

import secrets
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from harness.errors import TransportError
from harness.protocol.messages import Message
from harness.transport.security import NoSecurity, Security
from harness.transport.wire import Arrival, arrival_of, configure, frames_of, received, wire_bytes_of


class Channel:
    """One socket of an agent, with a random routing id, and its counts of bytes. Make one with :func:`connect`."""

    def __init__(self, context: zmq.Context[Any], socket: zmq.Socket[bytes], monitor: zmq.Socket[bytes]) -> None:
        self._context = context
        self.socket, self.monitor = socket, monitor
        self.sent_wire_bytes = self.received_wire_bytes = 0

    def send(self, message: Message, payload: bytes | None = None) -> None:
        """Queue a message; it leaves once the connection stands."""
        frames = frames_of(message, payload)
        try:
            self.socket.send_multipart(frames, zmq.DONTWAIT, copy=False)
        except zmq.ZMQError as error:
            raise TransportError(f"a message to the controller could not be sent: {error}") from None
        self.sent_wire_bytes += wire_bytes_of(*frames)

    def receive(self) -> list[Arrival]:
        """Messages that are here, without waiting; those with too many frames are dropped."""
        good = [arrival for frames in received(self.socket) if (arrival := arrival_of(frames, b"", beat=False))]
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


def connect(endpoint: str, security: Security | None = None) -> Channel:
    """Open an agent's socket. It connects when the other side is there, and again when the connection breaks.

    Raises:
        TransportError: the endpoint is malformed.
    """
    context: zmq.Context[Any] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    configure(socket)
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
