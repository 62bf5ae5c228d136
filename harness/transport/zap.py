"""Answers libzmq's question who may connect: the ZeroMQ Authentication Protocol, RFC 27, version 1.0.

It is asked over inproc during each handshake, and answered in the server's own loop: no thread of its own that could
die unnoticed. While the loop is busy elsewhere a handshake waits, and is tried again by the agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import zmq
from zmq.utils import z85

from harness.transport.security import DOMAIN
from harness.transport.wire import readable

ENDPOINT = "inproc://zeromq.zap.01"
VERSION = b"1.0"
ALLOWED, DENIED = b"200", b"400"


def reply_to(request: Sequence[bytes], names: Mapping[str, str]) -> tuple[list[bytes], str | None]:
    """The reply to a request, and the public key that was refused, if one was. ``names``: allowed, by public key.

    A request has the frames version, request id, domain, address, routing id, mechanism, credentials; a reply has
    version, request id, status code, status text, user id, metadata. The user id is the public key in Z85.
    """
    request_id = request[1] if len(request) > 1 else b""
    key = _key_of(request)
    if key is not None and key in names:
        return [VERSION, request_id, ALLOWED, b"OK", key.encode(), b""], None
    return [VERSION, request_id, DENIED, b"this key is not allowed", b"", b""], key


def _key_of(request: Sequence[bytes]) -> str | None:
    if len(request) != 7 or request[0] != VERSION or request[2] != DOMAIN.encode() or request[5] != b"CURVE":
        return None
    return z85.encode(request[6]).decode() if len(request[6]) == 32 else None


class ZapHandler:
    """The socket that is asked. Made before the sockets that it answers for, in the same context."""

    def __init__(self, context: zmq.Context[Any]) -> None:
        self.socket: zmq.Socket[bytes] = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(ENDPOINT)

    def asked(self) -> bool:
        """Whether a handshake waits for an answer."""
        return readable(self.socket)

    def answer(self, names: Mapping[str, str], most: int = 256) -> list[str]:
        """Answer the requests that are here, at most so many; returns the public keys that were refused."""
        refused: list[str] = []
        for _ in range(most):
            if not self.asked():
                break
            reply, key = reply_to(self.socket.recv_multipart(zmq.DONTWAIT), names)
            self.socket.send_multipart(reply, zmq.DONTWAIT)
            if key is not None:
                refused.append(key)
        return refused
