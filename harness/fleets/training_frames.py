"""What a workforce of processes and its children say to each other."""

from __future__ import annotations

from typing import Union

import msgspec

from harness.fleets.workforce import Ended, Work
from harness.learning.spec import PrepareSpec
from harness.pipes.frames import Frame, answer_read


class Prepare(Frame, frozen=True, kw_only=True, tag="prepare"):
    """Build the model: ``base`` is its folder, ``init`` the file shipped once; both may be None of a null trainer.

    At most ``fused`` works come together; above 1 they are trained as one batch.
    """

    spec: PrepareSpec
    base: str | None
    init: str | None
    fused: int


class Train(Frame, frozen=True, kw_only=True, tag="train"):
    """Carry out works that were sent together."""

    works: tuple[Work, ...]


class Prepared(Frame, frozen=True, kw_only=True, tag="prepared"):
    """The model is built."""


class Told(Frame, frozen=True, kw_only=True, tag="told"):
    """How one work ended."""

    ended: Ended


class Broken(Frame, frozen=True, kw_only=True, tag="broken"):
    """The order ended in an error that is none of a client's; ``errno`` where the system refused a file of the run."""

    reason: str
    errno: int | None = None
    path: str | None = None


Order = Union[Prepare, Train]
Answer = Union[Prepared, Told, Broken]

_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def order_of(body: bytes) -> Order:
    """What a child is to do."""
    return _orders.decode(body)


def answer_of(body: bytes) -> Answer:
    """What a child answers.

    Raises:
        TrainerError: the frame is no answer.
    """
    return answer_read(_answers, body)
