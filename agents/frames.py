"""What the agent and its trainer process say to each other: msgpack frames, each behind its length (4 bytes)."""

from __future__ import annotations

from typing import Any, Union

import msgspec

from harness.errors import TrainerError
from harness.protocol.messages import BlobRef

HEADER_BYTES = 4
MAX_FRAME_BYTES = 1024 * 1024
OOM = "oom: "
"""How the reason of a failure begins where memory was what lacked."""


class Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of every frame."""


class Prepare(Frame, frozen=True, kw_only=True, tag="prepare"):
    """Build the model: Provision's ``prepare``, the folder of the base model, the file of the initial state."""

    spec: dict[str, Any]
    base: str
    init: str | None


class Train(Frame, frozen=True, kw_only=True, tag="train"):
    """Train from ``state`` on ``shard`` and write ``update``; all are files. Rounds count from 1."""

    state: str
    shard: str
    seed: int
    round: int
    update: str


class Prepared(Frame, frozen=True, kw_only=True, tag="prepared"):
    """The model is built."""


class TrainedFrame(Frame, frozen=True, kw_only=True, tag="trained"):
    """The update is written. Durations were measured in the trainer process, around the trainer's three steps.

    ``cpu_s`` is processor time of all three over all threads; ``warm_up`` marks the first task of a process. The
    update was hashed in the trainer process too, where no heartbeat waits for it.
    """

    update: BlobRef
    load_s: float
    train_s: float
    serialise_s: float
    samples: int
    steps: int
    tokens: int
    loss: float | None
    cpu_s: float
    peak_rss_bytes: int
    warm_up: bool


class Broken(Frame, frozen=True, kw_only=True, tag="broken"):
    """An exception ended the order; ``reason`` is its type and sentence."""

    reason: str


Order = Union[Prepare, Train]
Answer = Union[Prepared, TrainedFrame, Broken]

_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


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


def order_of(body: bytes) -> Order:
    """What the trainer process is to do."""
    return _orders.decode(body)


def answer_of(body: bytes) -> Answer:
    """What the trainer process answers.

    Raises:
        TrainerError: the frame is no answer.
    """
    try:
        return _answers.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise TrainerError(f"the trainer's answer could not be read: {error}") from None
