"""The two ends of a probe over plain TCP, and the counters of an interface.

The asking end is the agent's: it connects to the controller's port, for that is what is shaped. It says in nine bytes
which way and how much, and times as an agent does: a download from its request to the last byte, an upload from its
first byte to the acknowledgement of the last.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from harness.errors import ShapingError
from harness.shaping.probe import Reading, Way

PIECE_BYTES = 64 * 1024
REQUEST = struct.Struct("!cQ")
ACKNOWLEDGED = b"."
WAYS: dict[Way, bytes] = {"up": b"U", "down": b"D"}
MOST_BYTES = 1 << 32
PATIENCE_S = 30.0
"""Nothing moved for so long: the probe has failed."""


def read_interface(name: str, root: Path = Path("/")) -> Reading:
    """The counters of an interface.

    Raises:
        ShapingError: there is no such interface.
    """
    folder = root / "sys/class/net" / name / "statistics"
    try:
        counted = {field: int((folder / field).read_text()) for field in Reading.__struct_fields__}
    except OSError as error:
        raise ShapingError(f"the counters of interface {name} cannot be read ({error.strerror}: {folder})") from None
    return Reading(**counted)


def ask(address: tuple[str, int], way: Way, size_bytes: int) -> float:
    """Move so many bytes from or to an answering end; the seconds that took.

    Raises:
        ShapingError: the other end is not there, or the connection broke.
    """
    try:
        with socket.create_connection(address, PATIENCE_S) as connection:
            began_s = time.monotonic()
            connection.sendall(REQUEST.pack(WAYS[way], size_bytes))
            if way == "up":
                _send(connection, size_bytes)
                _receive(connection, len(ACKNOWLEDGED))
            else:
                _receive(connection, size_bytes)
            return time.monotonic() - began_s
    except OSError as error:
        raise ShapingError(
            f"the probe of the link to {address[0]} port {address[1]} broke off ({error}); is its other end there?"
        ) from None


def answer(listener: socket.socket, meet: Callable[[str], None] = lambda peer: None) -> None:
    """Serve one asking end; a broken connection ends it like a finished one.

    ``meet`` is told the other end's address first: what goes to it may have to be shaped.
    """
    connection, (peer, *_) = listener.accept()
    with connection:
        connection.settimeout(PATIENCE_S)
        meet(str(peer).removeprefix("::ffff:"))
        try:
            way, size_bytes = REQUEST.unpack(_receive(connection, REQUEST.size, keep=True))
            if way == WAYS["up"]:
                _receive(connection, min(size_bytes, MOST_BYTES))
                connection.sendall(ACKNOWLEDGED)
            elif way == WAYS["down"]:
                _send(connection, min(size_bytes, MOST_BYTES))
                connection.shutdown(socket.SHUT_WR)
                _until_closed(connection)
        except OSError:
            return  # the asking end says what became of it


def _send(connection: socket.socket, size_bytes: int) -> None:
    piece = memoryview(bytes(PIECE_BYTES))
    while size_bytes > 0:
        size_bytes -= connection.send(piece[:size_bytes])


def _until_closed(connection: socket.socket) -> None:
    """Stay until the other end has all: what is on its way would not be shaped any more where this process ends."""
    while connection.recv(PIECE_BYTES):
        pass


def _receive(connection: socket.socket, size_bytes: int, *, keep: bool = False) -> bytes:
    """So many bytes, thrown away unless they are to be kept.

    Raises:
        ConnectionError: the other end closed before.
    """
    kept = b""
    while size_bytes > 0:
        piece = connection.recv(min(size_bytes, PIECE_BYTES))
        if not piece:
            raise ConnectionError("the other end closed it too early")
        size_bytes -= len(piece)
        kept += piece if keep else b""
    return kept
