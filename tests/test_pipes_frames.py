import pytest

from harness.errors import TrainerError
from harness.pipes.frames import HEADER_BYTES, Frame, FrameBuffer, pack


class Word(Frame, frozen=True, tag="word"):
    text: str


def test_frames_come_whole_out_of_pieces() -> None:
    words = [pack(Word(text=text)) for text in ("one", "two")]
    data, buffer = b"".join(words), FrameBuffer()
    assert [body for byte in data for body in buffer.feed(bytes([byte]))] == [word[HEADER_BYTES:] for word in words]
    assert len(FrameBuffer().feed(data)) == 2


def test_what_is_no_frame_is_an_error() -> None:
    with pytest.raises(TrainerError, match="not a frame"):
        FrameBuffer().feed(b"Downloading weights")
