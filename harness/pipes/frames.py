"""What a process and its child say to each other: msgpack frames, each behind its length (4 bytes)."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from harness.errors import TrainerError

HEADER_BYTES = 4
MAX_FRAME_BYTES = 1024 * 1024
OOM = "oom: "
"""How the reason of a failure begins where memory was what lacked."""

FrameT = TypeVar("FrameT")
_encoder = msgspec.msgpack.Encoder()


class Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of every frame."""


def pack(frame: Frame) -> bytes:
    """A frame as bytes for the pipe."""
    body = _encoder.encode(frame)
    return len(body).to_bytes(HEADER_BYTES, "big") + body


class FrameBuffer:
    """Bytes of a pipe, in pieces of any size; whole frames out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes; returns the frames that are complete now.

        Raises:
            TrainerError: the bytes are no frames.
        """
        self._buffer += data
        bodies = []
        while (body := self._cut()) is not None:
            bodies.append(body)
        return bodies

    def _cut(self) -> bytes | None:
        size_bytes = int.from_bytes(self._buffer[:HEADER_BYTES], "big")
        if size_bytes > MAX_FRAME_BYTES:
            raise TrainerError("the trainer's answer is not a frame; something else wrote to its pipe")
        end = HEADER_BYTES + size_bytes
        if len(self._buffer) < max(end, HEADER_BYTES + 1):
            return None
        body = bytes(self._buffer[HEADER_BYTES:end])
        del self._buffer[:end]
        return body


def answer_read(decoder: msgspec.msgpack.Decoder[FrameT], body: bytes) -> FrameT:
    """What a child answers, of the types that ``decoder`` knows.

    Raises:
        TrainerError: the frame is no answer.
    """
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise TrainerError(f"the trainer's answer could not be read: {error}") from None
