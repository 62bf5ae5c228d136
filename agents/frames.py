"""What the agent and its trainer process say to each other."""

from __future__ import annotations

from typing import Any, Union

import msgspec

from harness.pipes.frames import Frame, answer_read
from harness.protocol.messages import BlobRef


class Prepare(Frame, frozen=True, kw_only=True, tag="prepare"):
    """Build the model: Provision's ``prepare``, the folder of the base model, the file of the initial state."""

    spec: dict[str, Any]
    base: str
    init: str | None


class Train(Frame, frozen=True, kw_only=True, tag="train"):
    """Train from ``state`` on ``shard`` and write ``update``; all are files. Rounds count from 1.

    ``state`` may be lean: less than a state, to be merged into the one that this trainer was given last.
    """

    state: str
    shard: str
    seed: int
    round: int
    update: str


class Prepared(Frame, frozen=True, kw_only=True, tag="prepared"):
    """The model is built."""


class TrainedFrame(Frame, frozen=True, kw_only=True, tag="trained"):
    """The update is written. Durations were measured in the trainer process, around the trainer's three steps.

    They follow each other from ``began_s`` on, a stamp of the monotonic clock that all processes of a machine share.
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
    began_s: float = 0.0


class Broken(Frame, frozen=True, kw_only=True, tag="broken"):
    """An exception ended the order; ``reason`` is its type and sentence."""

    reason: str


Order = Union[Prepare, Train]
Answer = Union[Prepared, TrainedFrame, Broken]

_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def order_of(body: bytes) -> Order:
    """What the trainer process is to do."""
    return _orders.decode(body)


def answer_of(body: bytes) -> Answer:
    """What the trainer process answers.

    Raises:
        TrainerError: the frame is no answer.
    """
    return answer_read(_answers, body)
