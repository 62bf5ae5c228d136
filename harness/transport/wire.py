"""Frames and their bytes, socket options of both sides, and waiting. High-water marks are off because flow is
controlled by credit in bytes (:mod:`harness.protocol.transfer`): at one, a ROUTER loses messages without a word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import zmq

from harness.protocol.codec import encode
from harness.protocol.messages import Message
from harness.transport.limits import MAX_FRAME_BYTES

UNHEARD_MS = 60_000
"""A connection whose other end acknowledges nothing for so long is closed, and so noticed. Heartbeats on their own
connection do not tell that the main one is dead; by default the kernel would try for a quarter of an hour."""
BATCH = 64
"""At most so many messages of a socket are handed out at once, so that one busy peer cannot starve the rest."""


@dataclass(frozen=True)
class Arrival:
    """A message that came: its frames, still encoded, and what it took on the wire.

    ``peer`` is the sender's routing id (empty at an agent), ``beat`` tells the heartbeat sockets from the main ones.
    ``user`` is the sender's public key, as it was proven at the handshake; empty where nothing is encrypted.
    """

    peer: bytes
    beat: bool
    head: memoryview
    payload: memoryview | None
    wire_bytes: int
    user: str = ""


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


def frames_of(message: Message, payload: bytes | None) -> list[bytes]:
    """A message as frames; ``payload`` is the second."""
    return [encode(message)] if payload is None else [encode(message), payload]


def received(socket: zmq.Socket[bytes]) -> list[list[zmq.Frame]]:
    """Messages that are here, as frames, without waiting; at most BATCH."""
    messages: list[list[zmq.Frame]] = []
    while len(messages) < BATCH and socket.poll(0):
        messages.append(socket.recv_multipart(zmq.DONTWAIT, copy=False))
    return messages


def arrival_of(frames: list[zmq.Frame], peer: bytes, beat: bool, user: str = "") -> Arrival:
    """A message whose frames :func:`harness.transport.limits.fault_of` found to be well."""
    parts = [frame.buffer for frame in frames]
    return Arrival(peer, beat, parts[0], parts[1] if len(parts) > 1 else None, wire_bytes_of(*parts), user)
