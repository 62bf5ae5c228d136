import pytest

from agents.frames import Broken, Prepared, Train, answer_of, order_of
from harness.errors import TrainerError
from harness.pipes.frames import FrameBuffer, pack

TRAIN = Train(state="s", shard="d", seed=1, round=1, update="u")


def test_an_order_travels() -> None:
    [body] = FrameBuffer().feed(pack(TRAIN))
    assert order_of(body) == TRAIN


def test_answers_travel() -> None:
    bodies = FrameBuffer().feed(pack(Prepared()) + pack(Broken(reason="x")))
    assert [answer_of(body) for body in bodies] == [Prepared(), Broken(reason="x")]


def test_what_is_no_answer_is_an_error() -> None:
    with pytest.raises(TrainerError, match="could not be read"):
        answer_of(b"\xc0")
