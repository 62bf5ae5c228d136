"""Messages to frames and back. What cannot be read is refused with a sentence, whoever sent it.

Words for people come out as one line of printable characters: they are on their way to logs, records and terminals.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from harness.errors import TransportError
from harness.protocol.messages import BeatMessage, Message, ToAgent, ToController
from harness.protocol.text import plain

WORDS = ("reason", "host", "version", "doing", "run_id")
"""Fields of messages that are free text."""

_encoder = msgspec.msgpack.Encoder()
_to_controller = msgspec.msgpack.Decoder(ToController)
_to_agent = msgspec.msgpack.Decoder(ToAgent)
_beat = msgspec.msgpack.Decoder(BeatMessage)


def encode(message: Message) -> bytes:
    """A message as msgpack."""
    return _encoder.encode(message)


def decode_to_controller(frame: bytes | memoryview) -> ToController:
    """A message from an agent.

    Raises:
        TransportError: the frame is not one of the messages an agent sends.
    """
    return _decode(_to_controller, frame)  # type: ignore[no-any-return]


def decode_to_agent(frame: bytes | memoryview) -> ToAgent:
    """A message from the controller.

    Raises:
        TransportError: the frame is not one of the messages a controller sends.
    """
    return _decode(_to_agent, frame)  # type: ignore[no-any-return]


def decode_beat(frame: bytes | memoryview) -> BeatMessage:
    """A heartbeat or its echo.

    Raises:
        TransportError: the frame is neither.
    """
    return _decode(_beat, frame)  # type: ignore[no-any-return]


def _decode(decoder: Any, frame: bytes | memoryview) -> Any:
    try:
        message = decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # The error may quote the frame.
        raise TransportError(
            f"a message could not be read: {plain(str(error))[:200]}; are both sides of the same version?"
        ) from None
    shown = {}
    for name in _words_among(message.__struct_fields__):
        said = getattr(message, name)
        if said != (clean := plain(said)):
            shown[name] = clean
    return msgspec.structs.replace(message, **shown) if shown else message


@cache
def _words_among(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a message's fields that are free text."""
    return tuple(name for name in fields if name in WORDS)
