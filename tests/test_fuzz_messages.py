"""Whatever stands in a frame: it is read as a message, or refused with a sentence, and nothing else happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_words import OF_AGENTS, OF_BEATS, OF_CONTROLLERS, PACKED, messages

from harness.errors import TransportError
from harness.protocol.codec import decode_beat, decode_to_agent, decode_to_controller, encode
from harness.protocol.messages import Message

Decoder = Callable[[bytes], Message]

READERS: dict[str, tuple[Decoder, tuple[type[Message], ...]]] = {
    "of agents": (decode_to_controller, OF_AGENTS),
    "of controllers": (decode_to_agent, OF_CONTROLLERS),
    "of beats": (decode_beat, OF_BEATS),
}
EXAMPLES = settings(max_examples=100, deadline=None)

readers = pytest.mark.parametrize(("decode", "kinds"), READERS.values(), ids=READERS.keys())


def read(decode: Decoder, frame: bytes) -> Message | None:
    """The message in a frame, or None of one that is refused, in a sentence that can be logged and sent back."""
    refusal = ""
    try:
        return decode(frame)
    except TransportError as error:
        refusal = str(error)
    assert "could not be read" in refusal
    assert len(refusal) < 1000, "a line as long as a stranger likes"
    return None


@readers
@given(frame=st.binary(max_size=400))
@EXAMPLES
def test_arbitrary_bytes_are_read_or_refused(decode: Decoder, kinds: tuple[type[Message], ...], frame: bytes) -> None:
    message = read(decode, frame)
    assert message is None or isinstance(message, kinds)


@readers
@given(data=st.data())
@EXAMPLES
def test_what_was_read_can_be_said_again(
    decode: Decoder, kinds: tuple[type[Message], ...], data: st.DataObject
) -> None:
    once = read(decode, encode(data.draw(messages(kinds))))
    assert once is not None, "a valid message was refused"
    assert read(decode, encode(once)) == once


@readers
@given(data=st.data())
@EXAMPLES
def test_a_damaged_message_is_read_or_refused(
    decode: Decoder, kinds: tuple[type[Message], ...], data: st.DataObject
) -> None:
    frame = bytearray(encode(data.draw(messages(kinds))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(frame) - 1)))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "double"])):
            case "flip":
                frame[at : at + 1] = bytes([data.draw(st.integers(0, 255))])
            case "cut":
                del frame[at : at + data.draw(st.integers(1, 40))]
            case "insert":
                frame[at:at] = data.draw(st.binary(min_size=1, max_size=20))
            case "double":
                frame += frame[at : at + 100]
    message = read(decode, bytes(frame))
    assert message is None or isinstance(message, kinds)


@readers
@given(data=st.data())
@EXAMPLES
def test_a_message_with_fields_of_any_shape_is_read_or_refused(
    decode: Decoder, kinds: tuple[type[Message], ...], data: st.DataObject
) -> None:
    fields: dict[str, Any] = msgspec.to_builtins(data.draw(messages(kinds)))
    for _ in range(data.draw(st.integers(1, 3))):
        match data.draw(st.sampled_from(["replace", "drop", "add"])):
            case "replace":
                fields[data.draw(st.sampled_from(sorted(fields) or ["type"]))] = data.draw(PACKED)
            case "drop":
                fields.pop(data.draw(st.sampled_from(sorted(fields) or ["type"])), None)
            case "add":
                fields[data.draw(st.text(max_size=10))] = data.draw(PACKED)
    message = read(decode, msgspec.msgpack.encode(fields))
    assert message is None or isinstance(message, kinds)


@readers
@given(value=PACKED)
@EXAMPLES
def test_anything_that_is_packed_is_read_or_refused(
    decode: Decoder, kinds: tuple[type[Message], ...], value: object
) -> None:
    message = read(decode, msgspec.msgpack.encode(value))
    assert message is None or isinstance(message, kinds)


@pytest.mark.parametrize("decode", [decode for decode, _ in READERS.values()], ids=READERS.keys())
@pytest.mark.parametrize(
    "opening", [b"\x91", b"\x81\xa1x", b"\xdc\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"]
)
def test_depth_and_announced_sizes_cost_neither_stack_nor_memory(decode: Decoder, opening: bytes) -> None:
    tag = msgspec.msgpack.encode({"type": "hello", "x": None})[1:-1]
    for frame in (opening * 20_000, b"\x82" + tag + opening * 20_000):
        assert read(decode, frame) is None


@pytest.mark.parametrize("decode", [decode for decode, _ in READERS.values()], ids=READERS.keys())
@pytest.mark.parametrize(
    "fields", [{"type": "x" * 60_000}, {"x" * 60_000: 1}, {"type": "goodbye", "agent": "x" * 60_000}]
)
def test_what_a_stranger_wrote_does_not_fill_the_sentence_that_refuses_it(
    decode: Decoder, fields: dict[str, object]
) -> None:
    assert read(decode, msgspec.msgpack.encode(fields)) is None
