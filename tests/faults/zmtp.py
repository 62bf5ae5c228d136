"""A stranger's socket: ZMTP 3.1 by hand (https://rfc.zeromq.org/spec/37), so that any byte of it can be wrong."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

from harness.protocol.codec import encode
from harness.protocol.messages import Message

GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)
MORE, LONG, COMMAND = 1, 2, 4


def ready(identity: bytes) -> bytes:
    """The one command of the NULL mechanism: what kind of socket this is, and its routing id."""
    properties = b"".join(
        bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value
        for name, value in ((b"Socket-Type", b"DEALER"), (b"Identity", identity))
    )
    body = b"\x05READY" + properties
    return bytes([COMMAND, len(body)]) + body


def framed(*frames: bytes) -> bytes:
    """A message as it goes over the wire."""
    out = b""
    for number, frame in enumerate(frames, 1):
        flags = MORE if number < len(frames) else 0
        long = len(frame) > 255
        out += bytes([flags | LONG]) + len(frame).to_bytes(8, "big") if long else bytes([flags, len(frame)])
        out += frame
    return out


def spoken(identity: bytes, *messages: Message | tuple[Message, bytes]) -> bytes:
    """All that an agent says who greets and says these messages, some with a payload."""
    pairs = [(one, None) if isinstance(one, Message) else one for one in messages]
    words = [framed(encode(head)) if data is None else framed(encode(head), data) for head, data in pairs]
    return b"".join([GREETING, ready(identity), *words])


def flipped(said: bytes, at: int, bit: int) -> bytes:
    """The same with one bit of one byte flipped."""
    return said[:at] + bytes([said[at] ^ (1 << bit)]) + said[at + 1 :]


def without_greeting(said: bytes) -> bytes:
    """The messages of a recorded stream, from the first after READY on."""
    at = len(GREETING)
    return said[at + 2 + said[at + 1] :]


class Stranger:
    """A TCP connection to a controller. It never blocks for long, whatever the other side does."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=30)

    def __enter__(self) -> Stranger:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, data: bytes) -> bool:
        """Send; False where the connection was closed meanwhile."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def cut_off(self, wait_s: float = 0.0) -> bool:
        """Whether the other side closes the connection, within so long; what it says is read and dropped."""
        while select.select([self.socket], [], [], wait_s)[0]:
            try:
                if not self.socket.recv(65536):
                    return True
            except OSError:
                return True
        return False

    def say_slowly(self, data: bytes, every_s: float) -> Iterator[bytes]:
        """One byte at a time, until the other side closes the connection."""
        for byte in data:
            if not self.say(bytes([byte])) or self.cut_off(every_s):
                return
            yield bytes([byte])
