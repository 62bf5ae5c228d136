"""Updates on their way in: what is answered, what lands, and what a full disk says."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from stub_controller import blob

from harness.errors import BlobError, StoreError
from harness.fleets.peers import Peer
from harness.fleets.uploads import Uploads
from harness.protocol import messages as m
from harness.protocol.transfer import WINDOW_BYTES, Incoming

REF = m.TaskRef(round=1, client=3, attempt=1)


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
    peer.begin(REF, tmp_path / "update")
    yield peer
    peer.end()


def offer(data: bytes, ref: m.TaskRef = REF) -> m.Offer:
    return m.Offer(ref=ref, blob=blob("update", data))


def at(offset: int, data: bytes) -> m.Chunk:
    """The head of a chunk of ``data``."""
    return m.Chunk(sha256=blob("update", data).sha256, offset=offset)


def test_an_update_lands_under_its_name_once_its_hash_is_right(server: Any, peer: Peer) -> None:
    uploads, data = Uploads(server), b"an update"
    uploads.offer(peer, offer(data))
    uploads.chunk(peer, at(0, data), data[:4])
    assert not peer.update.exists()
    uploads.chunk(peer, at(4, data), data[4:])
    assert peer.update.read_bytes() == data
    assert peer.landed_sha256 == blob("", data).sha256
    assert [type(message) for message in server.said] == [m.Accept, m.Received]
    uploads.chunk(peer, 0, b"too late.")
    assert peer.update.read_bytes() == data


def test_an_offer_said_twice_takes_up_the_same_partial_file(server: Any, peer: Peer) -> None:
    uploads, data = Uploads(server), b"an update"
    uploads.offer(peer, offer(data))
    uploads.chunk(peer, at(0, data), data[:4])
    uploads.offer(peer, offer(data))
    assert server.said[-1].offset == 4
    assert [path.name for path in peer.update.parent.iterdir()] == ["update.part"]


def test_credit_follows_once_half_a_window_has_landed(server: Any, peer: Peer) -> None:
    uploads, data = Uploads(server), bytes(3 * WINDOW_BYTES)
    uploads.offer(peer, offer(data))
    half = WINDOW_BYTES // 2
    uploads.chunk(peer, at(0, data), data[: half - 1])
    assert len(server.said) == 1
    uploads.chunk(peer, at(half - 1, data), data[:1])
    assert server.said[-1] == m.Credit(sha256=blob("", data).sha256, offset=half, limit=WINDOW_BYTES + half)


def test_an_update_of_another_task_and_bytes_without_an_offer_are_not_taken(server: Any, peer: Peer) -> None:
    uploads, other = Uploads(server), m.TaskRef(round=1, client=3, attempt=2)
    uploads.offer(peer, offer(b"late", other))
    assert server.said == [m.Cancel(ref=other)]
    uploads.chunk(peer, at(0, b"late"), b"late")
    assert not any(peer.update.parent.iterdir())


def test_bytes_of_another_update_are_not_taken(server: Any, peer: Peer) -> None:
    uploads = Uploads(server)
    uploads.offer(peer, offer(b"mine"))
    uploads.chunk(peer, at(0, b"other"), b"othe")
    uploads.chunk(peer, at(0, b"mine"), b"mine")
    assert peer.update.read_bytes() == b"mine"


def test_bytes_beyond_the_end_are_refused(server: Any, peer: Peer) -> None:
    uploads = Uploads(server)
    uploads.offer(peer, offer(b"short"))
    with pytest.raises(BlobError, match="beyond its 5 bytes"):
        uploads.chunk(peer, at(0, b"short"), b"too long")


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, ("the disk is full", "free space")), (errno.EIO, ("error", "mend that"))]
)
def test_an_update_that_cannot_be_written_ends_the_run_in_a_sentence(
    server: Any, peer: Peer, number: int, words: tuple[str, ...]
) -> None:
    class Broken:
        incoming = Incoming(blob("update", b"x"))

        def arrived(self, offset: int, data: bytes) -> bool:
            raise OSError(number, os.strerror(number))

        def close(self) -> None:
            pass

    uploads: Any = Uploads(server)
    peer.landing = Broken()  # type: ignore[assignment]
    with pytest.raises(StoreError) as caught:
        uploads.chunk(peer, at(0, b"x"), b"x")
    assert all(word in str(caught.value) for word in (*words, str(peer.update), "federa-bench resume"))
