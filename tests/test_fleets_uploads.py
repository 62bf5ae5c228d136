"""Updates on their way in: what is answered, what lands, and what a full disk says."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from small_tensors import tensor_file
from stub_controller import blob

from harness.blobs import partial_of
from harness.errors import BlobError, StoreError
from harness.fleets.peers import Peer
from harness.fleets.uploads import SLICE_BYTES, Uploads
from harness.protocol import messages as m
from harness.protocol.transfer import WINDOW_BYTES, Incoming
from harness.tensorfile import LENGTH_BYTES, MAX_HEADER_BYTES, Layout, Tensor

REF = m.TaskRef(round=1, client=3, attempt=1)
STATE_BYTES = 3 * WINDOW_BYTES


def laid_out(size_bytes: int) -> Layout:
    """That of one tensor of bytes."""
    return Layout((Tensor("x", "U8", (size_bytes,)),))


UPDATE = tensor_file(b"an update")


class Answers:
    """A server that keeps what it is to send."""

    def __init__(self) -> None:
        self.said: list[m.Message] = []

    def send(self, peer: bytes, message: m.Message) -> bool:
        self.said.append(message)
        return True


@pytest.fixture
def server() -> Any:
    return Answers()


@pytest.fixture
def peer(tmp_path: Path):
    peer = Peer(id=b"1", name="a", host="here", seen_s=0.0)
    order = m.Task(ref=REF, state=m.BlobRef(name="state", sha256="0" * 64, size_bytes=STATE_BYTES), seed=1)
    peer.begin(order, tmp_path / "update", laid_out(9))
    yield peer
    peer.end()


def offered(data: bytes) -> m.BlobRef:
    return blob("update", data)


def at(offset: int, data: bytes) -> m.Chunk:
    """The head of a chunk of ``data``."""
    return m.Chunk(sha256=blob("update", data).sha256, offset=offset)


def test_an_update_lands_under_its_name_once_its_hash_is_right(server: Any, peer: Peer) -> None:
    uploads = Uploads(server)
    uploads.offer(peer, offered(UPDATE))
    uploads.chunk(peer, at(0, UPDATE), UPDATE[:4])
    assert not peer.update.exists()
    uploads.chunk(peer, at(4, UPDATE), UPDATE[4:])
    assert peer.update.read_bytes() == UPDATE
    assert peer.landed == blob("update", UPDATE)
    assert [type(message) for message in server.said] == [m.Accept, m.Received]
    uploads.chunk(peer, at(0, UPDATE), b"too late.")
    assert peer.update.read_bytes() == UPDATE


def test_an_offer_said_twice_goes_on_where_it_is_and_reads_nothing_again(server: Any, peer: Peer) -> None:
    uploads = Uploads(server)
    uploads.offer(peer, offered(UPDATE))
    landing = peer.landing
    uploads.chunk(peer, at(0, UPDATE), UPDATE[:4])
    uploads.offer(peer, offered(UPDATE))
    assert peer.landing is landing
    assert (server.said[-1].offset, server.said[-1].credit_bytes) == (4, len(UPDATE) - 4)
    uploads.chunk(peer, at(4, UPDATE), UPDATE[4:])
    uploads.offer(peer, offered(UPDATE))
    assert [type(message) for message in server.said] == [m.Accept, m.Accept, m.Received, m.Received]


def test_credit_follows_once_half_a_window_has_landed(server: Any, peer: Peer) -> None:
    uploads, data = Uploads(server), bytes(3 * WINDOW_BYTES)
    uploads.offer(peer, offered(data))
    half = WINDOW_BYTES // 2
    uploads.chunk(peer, at(0, data), data[: half - 1])
    assert len(server.said) == 1
    uploads.chunk(peer, at(half - 1, data), data[:1])
    assert server.said[-1] == m.Credit(sha256=blob("", data).sha256, offset=half, limit=WINDOW_BYTES + half)


def test_bytes_without_an_offer_are_not_taken(server: Any, peer: Peer) -> None:
    Uploads(server).chunk(peer, at(0, UPDATE), UPDATE)
    assert not any(peer.update.parent.iterdir())


def test_bytes_of_another_update_are_not_taken(server: Any, peer: Peer) -> None:
    uploads = Uploads(server)
    uploads.offer(peer, offered(UPDATE))
    uploads.chunk(peer, at(0, b"other"), b"othe")
    uploads.chunk(peer, at(0, UPDATE), UPDATE)
    assert peer.update.read_bytes() == UPDATE


def test_bytes_beyond_the_end_are_refused(server: Any, peer: Peer) -> None:
    uploads = Uploads(server)
    uploads.offer(peer, offered(b"short"))
    with pytest.raises(BlobError, match="beyond its 5 bytes"):
        uploads.chunk(peer, at(0, b"short"), b"too long")


def test_an_update_much_larger_than_its_tensors_is_refused_before_a_byte_of_it(server: Any, peer: Peer) -> None:
    huge = m.BlobRef(name="update", sha256="1" * 64, size_bytes=9 + LENGTH_BYTES + MAX_HEADER_BYTES + 1)
    with pytest.raises(BlobError, match=f"of {huge.size_bytes} bytes; the tensors that its task asks for have 9"):
        Uploads(server).offer(peer, huge)
    assert not any(peer.update.parent.iterdir())


def test_a_large_partial_file_is_read_a_slice_at_a_time_and_then_answered(server: Any, peer: Peer) -> None:
    data = bytes(STATE_BYTES)
    uploads, whole = Uploads(server), tensor_file(data * 3)
    peer.layout, left = laid_out(len(data) * 3), SLICE_BYTES + 1000
    partial_of(offered(whole), peer.update).write_bytes(whole[:left])
    uploads.offer(peer, offered(whole))
    uploads.offer(peer, offered(whole))
    uploads.chunk(peer, at(0, whole), b"without an Accept")
    assert (peer.behind, server.said) == (True, [])
    uploads.catch_up(peer)
    assert not peer.behind
    assert [message.offset for message in server.said] == [left]


@pytest.mark.parametrize("name", ["update", "partial"])
def test_what_is_all_here_already_is_checked_and_acknowledged_at_once(server: Any, peer: Peer, name: str) -> None:
    here = peer.update if name == "update" else partial_of(offered(UPDATE), peer.update)
    here.write_bytes(UPDATE)
    Uploads(server).offer(peer, offered(UPDATE))
    assert [type(message) for message in server.said] == [m.Accept, m.Received]
    assert server.said[0].offset == len(UPDATE)
    assert peer.update.read_bytes() == UPDATE


def test_a_whole_file_with_other_bytes_is_not_held_against_the_sender(server: Any, peer: Peer) -> None:
    uploads = Uploads(server)
    peer.update.write_bytes(UPDATE[::-1])
    uploads.offer(peer, offered(UPDATE))
    assert [(type(message), message.offset) for message in server.said] == [(m.Accept, 0)]
    uploads.chunk(peer, at(0, UPDATE), bytes(len(UPDATE)))
    assert isinstance(server.said[-2], m.Corrupt)
    uploads.chunk(peer, at(0, UPDATE), UPDATE)
    assert peer.update.read_bytes() == UPDATE


@pytest.mark.parametrize(
    ("update", "words"),
    [
        (tensor_file(b"an update", "y"), "it lacks tensor 'x'"),
        (tensor_file(b"longer than that"), r"its tensor 'x' is U8 \[16\] instead of U8 \[9\]"),
        (b"no tensors", "is no safetensors file"),
        (b"", "is no safetensors file"),
    ],
)
def test_an_update_of_other_tensors_than_the_state_is_refused(
    server: Any, peer: Peer, update: bytes, words: str
) -> None:
    uploads = Uploads(server)
    with pytest.raises(BlobError, match=f"the update of agent a is not one of the state it was given: .*{words}"):
        send(uploads, peer, update)
    assert not any(isinstance(message, m.Received) for message in server.said)
    assert not peer.update.exists()


def send(uploads: Uploads, peer: Peer, update: bytes) -> None:
    uploads.offer(peer, offered(update))
    uploads.chunk(peer, at(0, update), update)


def test_what_is_left_of_another_agents_try_goes_with_the_update_that_landed(server: Any, peer: Peer) -> None:
    uploads, other = Uploads(server), tensor_file(b"his words")
    uploads.offer(peer, offered(other))
    uploads.chunk(peer, at(0, other), other[:20])
    peer.let_go()
    assert partial_of(offered(other), peer.update).exists()
    send(uploads, peer, UPDATE)
    assert [path.name for path in peer.update.parent.iterdir()] == ["update"]


def test_what_an_earlier_controller_left_goes_too(server: Any, peer: Peer) -> None:
    partial_of(offered(UPDATE[::-1]), peer.update).write_bytes(b"left")
    send(Uploads(server), peer, UPDATE)
    assert [path.name for path in peer.update.parent.iterdir()] == ["update"]


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, ("the disk is full", "free space")), (errno.EIO, ("error", "mend that"))]
)
def test_an_update_that_cannot_be_written_ends_the_run_in_a_sentence(
    server: Any, peer: Peer, number: int, words: tuple[str, ...]
) -> None:
    class Broken:
        incoming, caught_up = Incoming(blob("update", b"x")), True

        def arrived(self, offset: int, data: bytes) -> bool:
            raise OSError(number, os.strerror(number))

        def close(self) -> None:
            pass

    uploads: Any = Uploads(server)
    peer.landing = Broken()  # type: ignore[assignment]
    with pytest.raises(StoreError) as caught:
        uploads.chunk(peer, at(0, b"x"), b"x")
    assert all(word in str(caught.value) for word in (*words, str(peer.update), "federa-bench resume"))
