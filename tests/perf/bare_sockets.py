"""Two bare CURVE sockets, one in a process of its own: what moving bytes costs where nobody does anything with them.

python bare_sockets.py PORT COUNT SIZE_BYTES PIECE_BYTES      the far end; the keys come on standard input
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import TracebackType
from typing import Any

import zmq


class BareSockets:
    """A pair of connected sockets. ``count`` messages of ``size_bytes`` each go there, and as many come back.

    A message is one of ZeroMQ's, in frames of ``piece_bytes``; nothing is copied on its way into a socket, and none
    waits for another. The far end answers with the first once the last one came, as the updates of a round do.
    """

    def __init__(self, count: int, size_bytes: int, piece_bytes: int) -> None:
        self._count = count
        self._pieces = pieces(size_bytes, piece_bytes)
        public, secret = zmq.curve_keypair()
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket = unlimited(self._context)
        self._socket.setsockopt(zmq.CURVE_SERVER, 1)
        self._socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
        port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        numbers = [str(number) for number in (port, count, size_bytes, piece_bytes)]
        self._process = subprocess.Popen([sys.executable, __file__, *numbers], stdin=subprocess.PIPE)
        assert self._process.stdin is not None
        self._process.stdin.write(public)
        self._process.stdin.close()

    def __enter__(self) -> BareSockets:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.send(b"")
        self._process.wait()
        self._context.destroy(linger=0)

    def round_s(self) -> float:
        """The seconds until all of it went there and came back."""
        begun_s = time.monotonic()
        for _ in range(self._count):
            self._socket.send_multipart(self._pieces, copy=False)
        for _ in range(self._count):
            self._socket.recv_multipart(copy=False)
        return time.monotonic() - begun_s


def unlimited(context: zmq.Context[Any]) -> zmq.Socket[bytes]:
    """A socket that takes as many messages as it is given."""
    socket: zmq.Socket[bytes] = context.socket(zmq.PAIR)
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.setsockopt(zmq.RCVHWM, 0)
    return socket


def pieces(size_bytes: int, piece_bytes: int) -> list[memoryview]:
    """Random bytes in frames; random, so that nothing on the way could be spared."""
    data = memoryview(os.urandom(size_bytes))
    return [data[at : at + piece_bytes] for at in range(0, size_bytes, piece_bytes)]


def far_end(port: int, count: int, size_bytes: int, piece_bytes: int, controller: bytes) -> None:
    """Take ``count`` messages, then send as many back, until an empty one comes."""
    context: zmq.Context[Any] = zmq.Context()
    socket = unlimited(context)
    public, secret = zmq.curve_keypair()
    socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
    socket.setsockopt(zmq.CURVE_SERVERKEY, controller)
    socket.connect(f"tcp://127.0.0.1:{port}")
    sent = pieces(size_bytes, piece_bytes)
    while len(socket.recv_multipart(copy=False)[0].buffer):
        for _ in range(count - 1):
            socket.recv_multipart(copy=False)
        for _ in range(count):
            socket.send_multipart(sent, copy=False)
    context.destroy(linger=0)


if __name__ == "__main__":
    far_end(*(int(word) for word in sys.argv[1:]), controller=sys.stdin.buffer.read())
