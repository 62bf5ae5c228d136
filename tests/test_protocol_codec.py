"""A message comes out as it went in; anything else is refused in a sentence, not with a crash."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import TransportError
from harness.profiles import LinkProfile
from harness.protocol import codec
from harness.protocol.messages import (
    Beat,
    BeatEcho,
    BlobRef,
    Failed,
    Fetch,
    Goodbye,
    Provision,
    Stop,
    TaskRef,
    Welcome,
)

DECODERS = (codec.decode_to_controller, codec.decode_to_agent, codec.decode_beat)
TOO_DEEP = b"\x82\xa4type\xa4stop\xa1x" + b"\x91" * 5000 + b"\x90"


def test_a_message_comes_out_as_it_went_in() -> None:
    beat = Beat(agent="a", session="0" * 16, number=3, doing="idle")
    assert codec.decode_beat(codec.encode(beat)) == beat
    assert codec.decode_to_agent(codec.encode(Stop(reason="done"))) == Stop(reason="done")
    bye = Goodbye(agent="a", reason="done")
    assert codec.decode_to_controller(memoryview(codec.encode(bye))) == bye


def test_a_message_for_the_other_side_is_refused() -> None:
    with pytest.raises(TransportError, match="are both sides of the same version"):
        codec.decode_to_controller(codec.encode(BeatEcho(number=1)))


def test_a_value_out_of_range_is_refused() -> None:
    fetch = msgspec.structs.asdict(Fetch(sha256="0" * 64, offset=0, credit_bytes=1, chunk_bytes=1))
    for wrong in ({"offset": -1}, {"chunk_bytes": 1 << 30}, {"sha256": "../../etc/passwd"}):
        with pytest.raises(TransportError):
            codec.decode_to_controller(msgspec.msgpack.encode({"type": "fetch", **fetch, **wrong}))


@pytest.mark.parametrize("name", ["../weights", "/etc/passwd", ".hidden", "a/b", "", "x" * 129, "a\0b"])
def test_a_blob_is_named_by_a_plain_file_name(name: str) -> None:
    blob = BlobRef(name=name, sha256="0" * 64, size_bytes=1)
    provision = Provision(base=(blob,), shards=(), init=None, prepare={}, link=LinkProfile(name="x"), link_seed=0)
    with pytest.raises(TransportError, match=r"base\[0\]\.name|base\[\.\.\.\]\.name"):
        codec.decode_to_agent(codec.encode(provision))


def test_words_for_people_come_out_as_one_printable_line() -> None:
    failed = Failed(ref=TaskRef(round=1, client=3, attempt=1), reason="out of memory\n\x1b[2Jat line 3")
    assert codec.decode_to_controller(codec.encode(failed)).reason == "out of memory [2Jat line 3"
    welcome = Welcome(run_id="a\x1b[31mrun", beat_port=1, heartbeat_s=1.0, lost_after_s=2.0)
    assert codec.decode_to_agent(codec.encode(welcome)).run_id == "a [31mrun"
    beat = Beat(agent="a", session="0" * 16, number=3, doing="idle\a")
    assert codec.decode_beat(codec.encode(beat)).doing == "idle"


def test_what_is_quoted_of_a_message_that_cannot_be_read_is_short_and_printable() -> None:
    with pytest.raises(TransportError) as caught:
        codec.decode_to_agent(msgspec.msgpack.encode({"type": "\x1b[2J" + "x" * 10_000}))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("frame", [b"", b"\xc1", b"\x81\xa4type\xa2\xff\xfe", TOO_DEEP])
def test_what_is_no_message_is_refused(frame: bytes) -> None:
    for decode in DECODERS:
        with pytest.raises(TransportError, match="a message could not be read"):
            decode(frame)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(frame: bytes) -> None:
    for decode in DECODERS:
        with contextlib.suppress(TransportError):
            assert decode(frame) is not None
