import pytest

from agents.frames import Broken, FrameBuffer, Prepared, Train, answer_of, order_of, pack
from harness.errors import TrainerError

TRAIN = Train(state="s", shard="d", seed=1, round=1, update="u")


def test_an_order_travels() -> None:
    [body] = FrameBuffer().feed(pack(TRAIN))
    assert order_of(body) == TRAIN


def test_frames_come_whole_out_of_pieces() -> None:
    data, buffer = pack(Prepared()) + pack(Broken(reason="x")), FrameBuffer()
    bodies = [body for byte in data for body in buffer.feed(bytes([byte]))]
    assert [answer_of(body) for body in bodies] == [Prepared(), Broken(reason="x")]
    assert len(FrameBuffer().feed(data)) == 2


def test_what_is_no_frame_is_an_error() -> None:
    with pytest.raises(TrainerError, match="not a frame"):
        FrameBuffer().feed(b"Downloading weights")
    with pytest.raises(TrainerError, match="could not be read"):
        answer_of(b"\xc0")
