"""Frames and their bytes, socket options of both sides, and waiting. High-water marks are off because flow is
controlled by credit in bytes (:mod:`harness.protocol.transfer`): at one, a ROUTER loses messages without a word.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import zmq

from harness.protocol.codec import encode
from harness.protocol.messages import Message
from harness.transport.limits import MAX_FRAME_BYTES

UNHEARD_MS = 60_000
"""A connection whose other end acknowledges nothing for so long is closed, and so noticed. Heartbeats on their own
connection do not tell that the main one is dead; by default the kernel would try for a quarter of an hour."""
READABLE, AT_ONCE = int(zmq.POLLIN), int(zmq.DONTWAIT)
AT_ONCE_WITH_MORE = int(zmq.DONTWAIT | zmq.SNDMORE)
"""Plain numbers: combining pyzmq's flags takes as long as sending a small frame."""
SHARED_BYTES = 65_536
"""From this size on a frame that is sent is not copied; copying a smaller one takes less than sharing it."""
BATCH = 64
"""At most so many messages of a socket are handed out at once, so that one busy peer cannot starve the rest."""


class Arrival(NamedTuple):
    """A message that came: its frames, still encoded, and what it took on the wire.

    ``peer`` is the sender's routing id (empty at an agent), ``beat`` tells the heartbeat sockets from the main ones.
    ``user`` is the sender's public key, as it was proven at the handshake; empty where nothing is encrypted.
    ``address`` is the IP address of the connection's other end, of a message without payload. ``at_s`` is the monotonic
    clock as the message was taken from its socket; null where there is none.
    """

    peer: bytes
    beat: bool
    head: memoryview
    payload: memoryview | None
    wire_bytes: int
    user: str = ""
    address: str = ""
    at_s: float | None = None


def wire_bytes_of(*frames: bytes | memoryview) -> int:
    """Bytes of a message's frames on the wire: ZMTP 3.1 puts 2 bytes before a frame of up to 255 bytes, else 9."""
    return sum(len(frame) + (2 if len(frame) <= 255 else 9) for frame in frames)


def wait(sockets: Iterable[zmq.Socket[bytes]], fds: Iterable[int], timeout_s: float | None) -> set[int]:
    """Wait until a socket or a file descriptor can be read; returns the descriptors that can. None: no time limit."""
    return awaited(sockets, fds, timeout_s)[1]


def awaited(
    sockets: Iterable[zmq.Socket[bytes]], fds: Iterable[int], timeout_s: float | None
) -> tuple[list[zmq.Socket[bytes]], set[int]]:
    """Wait as :func:`wait` does; returns the sockets that can be read, too. To ask one that cannot costs as much as a
    small message.
    """
    timeout_ms = -1 if timeout_s is None else max(0, round(timeout_s * 1000 + 0.5))
    # A zmq.Poller would be filled anew for each wait, and that costs more than the wait.
    items: list[Any] = [(item, READABLE) for item in (*sockets, *fds)]
    ready = [item for item, _ in zmq.zmq_poll(items, timeout_ms)]
    return [item for item in ready if not isinstance(item, int)], {item for item in ready if isinstance(item, int)}


def readable(socket: zmq.Socket[bytes]) -> bool:
    """Whether a message is here."""
    return bool(int(socket.getsockopt(zmq.EVENTS)) & READABLE)


def configure(socket: zmq.Socket[bytes]) -> None:
    """Options of both sides."""
    for option, value in (
        (zmq.IPV6, 1),
        (zmq.MAXMSGSIZE, MAX_FRAME_BYTES),
        (zmq.HANDSHAKE_IVL, 5_000),
        (zmq.LINGER, 1_000),
        (zmq.SNDHWM, 0),
        (zmq.RCVHWM, 0),
        (zmq.TCP_KEEPALIVE, 1),
        (zmq.TCP_KEEPALIVE_IDLE, 30),
        (zmq.TCP_KEEPALIVE_INTVL, 10),
        (zmq.TCP_KEEPALIVE_CNT, 3),
        (zmq.TCP_MAXRT, UNHEARD_MS),
    ):
        socket.setsockopt(option, value)


def frames_of(message: Message, payload: bytes | memoryview | None) -> list[bytes | memoryview]:
    """A message as frames; ``payload`` is the second."""
    return [encode(message)] if payload is None else [encode(message), payload]


def received(socket: zmq.Socket[bytes]) -> Iterator[list[zmq.Frame]]:
    """Messages that are here, as frames, without waiting, each taken as it is asked for; at most BATCH."""
    for _ in range(BATCH):
        try:
            frames = [socket.recv(AT_ONCE, copy=False)]
        except zmq.Again:
            return
        while frames[-1].more:  # the whole of a message is here, or nothing of it
            frames.append(socket.recv(AT_ONCE, copy=False))
        yield frames


def sent(socket: zmq.Socket[bytes], frames: Sequence[bytes | memoryview]) -> None:
    """Queue a message, without waiting; large frames are not copied, so nobody may change what they are made of.

    Raises:
        zmq.ZMQError: it cannot be queued, and nothing of it was.
    """
    last = len(frames) - 1
    for number, frame in enumerate(frames):
        flags = AT_ONCE if number == last else AT_ONCE_WITH_MORE
        socket.send(frame, flags, copy=len(frame) < SHARED_BYTES)


def arrival_of(frames: list[zmq.Frame], peer: bytes, beat: bool, user: str = "") -> Arrival:
    """A message that was taken from its socket just now, and whose frames
    :func:`harness.transport.limits.fault_of` found to be well.
    """
    at_s = time.monotonic()
    head = frames[0].buffer
    if len(frames) == 1:
        return Arrival(peer, beat, head, None, wire_bytes_of(head), user, address_of(frames[0]), at_s)
    payload = frames[1].buffer
    return Arrival(peer, beat, head, payload, wire_bytes_of(head, payload), user, "", at_s)


def address_of(frame: zmq.Frame) -> str:
    """The IP address at the other end of the connection that a frame came over; empty where it has none.

    libzmq writes IPv4 addresses as IPv6 where its socket takes both.
    """
    try:
        return str(frame.get("Peer-Address")).removeprefix("::ffff:")
    except zmq.ZMQError:
        return ""
