"""A blob in chunks: who may send which bytes, and what to do with those that arrive. No file or socket in here.

Two state machines, one at each end. :class:`Incoming` is the receiving end of a blob in either direction: an agent's
download (it sends Fetch) or the controller's side of an upload (it sends Accept and Credit). :class:`Outgoing` is the
sending end of an upload; a download has no state at its sending end, a Fetch says it all (:func:`spans`).

Flow is controlled by credit counted in bytes: a sender never has more than a window (ten chunks of 256 KiB, the
pipeline of zguide's fileio3) on its way, so that neither end needs a high-water mark. Bytes are never kept here: a
receiver writes what :meth:`Incoming.arrived` gives back into a file, at its offset, at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from harness.errors import BlobError
from harness.protocol.messages import MAX_CHUNK_BYTES, Accept, BlobRef, Corrupt, Credit, Fetch, Received

WINDOW_BYTES = 10 * MAX_CHUNK_BYTES
MOST_CHUNKS = 1024
"""In so many chunks one Fetch is answered at most; the smallest that a link's pace asks for are 640 in a window."""


class Span(msgspec.Struct, frozen=True):
    """``size_bytes`` of a blob from ``offset`` on: one chunk to send."""

    offset: int
    size_bytes: int


class Landed(msgspec.Struct, frozen=True):
    """New bytes of a blob, to be written at ``offset``; whatever was known already is cut off."""

    offset: int
    data: memoryview


def spans(fetch: Fetch, size_bytes: int) -> Iterator[Span]:
    """The chunks that answer a Fetch of a blob of ``size_bytes``.

    Raises:
        BlobError: the Fetch begins beyond the blob's end, or asks for more than a window, or too many chunks, at once.
    """
    if fetch.credit_bytes > MOST_CHUNKS * fetch.chunk_bytes:
        raise BlobError(
            f"a fetch of {fetch.credit_bytes} bytes of blob {fetch.sha256[:12]} in chunks of {fetch.chunk_bytes} asks "
            f"for more than {MOST_CHUNKS} chunks at once"
        )
    if fetch.offset >= size_bytes or fetch.credit_bytes > WINDOW_BYTES:
        raise BlobError(
            f"a fetch of {fetch.credit_bytes} bytes at {fetch.offset} does not fit blob {fetch.sha256[:12]} "
            f"of {size_bytes} bytes and a window of {WINDOW_BYTES}"
        )
    return _cut(fetch.offset, min(size_bytes, fetch.offset + fetch.credit_bytes), fetch.chunk_bytes)


def _cut(start: int, end: int, chunk_bytes: int) -> Iterator[Span]:
    for offset in range(start, end, chunk_bytes):
        yield Span(offset, min(chunk_bytes, end - offset))


class Incoming:
    """The receiving end of one blob.

    Chunks land in order: a duplicate or one beyond a gap changes nothing, one that overlaps what is here is cut. The
    hash grows as chunks land. :meth:`verdict` ends the transfer, or starts it again, once, if the hash is wrong.
    """

    def __init__(self, blob: BlobRef, window_bytes: int = WINDOW_BYTES) -> None:
        self.blob = blob
        self.landed_bytes = 0
        """All bytes before this offset are here."""
        self.asked_bytes = 0
        """The sender has credit for all bytes before this offset."""
        self.resumed_bytes = 0
        """So many bytes, from the first on, were here before the transfer began."""
        self.window_bytes = window_bytes
        self._hash = hashlib.sha256()
        self._corrupt_before = False

    @property
    def complete(self) -> bool:
        """Whether every byte is here; then ask for the :meth:`verdict`."""
        return self.landed_bytes == self.blob.size_bytes

    @property
    def room_bytes(self) -> int:
        """How many more bytes may be asked for now."""
        return min(self.blob.size_bytes, self.landed_bytes + self.window_bytes) - self.asked_bytes

    def resume(self, data: bytes | memoryview) -> None:
        """Take the next bytes from a partial file of an earlier try; before anything is asked for."""
        self._hash.update(data)
        self.landed_bytes += len(data)
        self.resumed_bytes = self.asked_bytes = self.landed_bytes

    def arrived(self, offset: int, data: bytes | memoryview) -> Landed | None:
        """A chunk came; returns what is new in it and must be written now, or None.

        Raises:
            BlobError: the chunk reaches beyond the blob's end.
        """
        end = offset + len(data)
        if end > self.blob.size_bytes:
            raise BlobError(
                f"a chunk of blob {self.blob.name!r} ends at {end}, beyond its {self.blob.size_bytes} bytes"
            )
        if offset > self.landed_bytes or end <= self.landed_bytes:
            return None
        new = Landed(self.landed_bytes, memoryview(data)[self.landed_bytes - offset :])
        self._hash.update(new.data)
        self.landed_bytes = end
        self.asked_bytes = max(self.asked_bytes, end)
        return new

    def fetch(self, chunk_bytes: int = MAX_CHUNK_BYTES, credit_bytes: int | None = None) -> Fetch | None:
        """The next request of a download, if there is something to ask for.

        Without ``credit_bytes`` the window is filled up once half of it is free; with it, exactly so much is asked
        for, where there is room at all: a shaped download asks for what its link lets through, when it does.
        """
        if credit_bytes is None and not self._worth_asking():
            return None
        granted = self._grant(credit_bytes)
        if granted == 0:
            return None
        return Fetch(
            sha256=self.blob.sha256,
            offset=self.asked_bytes - granted,
            credit_bytes=granted,
            chunk_bytes=min(chunk_bytes, MAX_CHUNK_BYTES),
        )

    def accept(self) -> Accept:
        """The answer to an Offer, and what follows a Corrupt: from where on, with how much credit."""
        self.rewind()
        return Accept(sha256=self.blob.sha256, offset=self.landed_bytes, credit_bytes=self._grant(None))

    def credit(self) -> Credit | None:
        """More credit for an upload, once half of the window is free."""
        if not self._worth_asking():
            return None
        self._grant(None)
        return Credit(sha256=self.blob.sha256, offset=self.landed_bytes, limit=self.asked_bytes)

    def rewind(self) -> None:
        """Forget the credit given beyond what landed: the sender, or its chunks, got lost."""
        self.asked_bytes = self.landed_bytes

    def verdict(self) -> Received | Corrupt:
        """Check the hash of the complete blob. After Corrupt this transfer is at offset 0 again.

        Where bytes were resumed, those may be the wrong ones: then this does not count as damaged on the way.

        Raises:
            BlobError: the hash is wrong for the second time.
        """
        if self._hash.hexdigest() == self.blob.sha256:
            return Received(sha256=self.blob.sha256)
        reason = f"{self.blob.name!r} has hash {self._hash.hexdigest()[:12]}, not {self.blob.sha256[:12]}"
        if self._corrupt_before:
            raise BlobError(
                f"blob {reason}, twice; the sender's copy or the way is damaged, so fetching it was given up"
            )
        self._corrupt_before = self.resumed_bytes == 0
        self.landed_bytes = self.asked_bytes = self.resumed_bytes = 0
        self._hash = hashlib.sha256()
        return Corrupt(sha256=self.blob.sha256, reason=reason)

    def _worth_asking(self) -> bool:
        # Small credits would double the number of messages for nothing; the last one may be as small as it is.
        everything_asked = self.asked_bytes + self.room_bytes == self.blob.size_bytes
        return self.room_bytes > 0 and (everything_asked or self.room_bytes * 2 >= self.window_bytes)

    def _grant(self, credit_bytes: int | None) -> int:
        granted = self.room_bytes if credit_bytes is None else max(0, min(credit_bytes, self.room_bytes))
        self.asked_bytes += granted
        return granted


class Outgoing:
    """The sending end of an upload: which bytes may go next."""

    def __init__(self, blob: BlobRef) -> None:
        self.blob = blob
        self.offset = 0
        """All bytes before this offset were sent."""
        self.limit = 0
        """Bytes before this offset may be sent."""
        self._corrupt_before = False

    def accepted(self, accept: Accept) -> None:
        """The receiver wants the blob, from an offset on; it may say so again after a Corrupt.

        Raises:
            BlobError: the offset is beyond the blob's end.
        """
        if accept.offset > self.blob.size_bytes:
            raise BlobError(f"the receiver of {self.blob.name!r} has {accept.offset} of {self.blob.size_bytes} bytes")
        self.offset = accept.offset
        self.limit = min(self.blob.size_bytes, accept.offset + accept.credit_bytes)

    def credited(self, credit: Credit) -> None:
        """More may be sent. Credit never shrinks: an old one that comes late changes nothing."""
        self.limit = min(self.blob.size_bytes, max(self.limit, credit.limit))

    def corrupt(self, message: Corrupt) -> None:
        """What arrived was damaged: all over again, with the next Accept.

        Raises:
            BlobError: for the second time.
        """
        if self._corrupt_before:
            raise BlobError(f"the update arrived damaged twice: {message.reason}")
        self._corrupt_before = True
        self.offset = self.limit = 0

    def next_span(self, chunk_bytes: int = MAX_CHUNK_BYTES) -> Span | None:
        """The chunk to send next, or None while there is no credit. Call :meth:`sent` once it went out."""
        size_bytes = min(chunk_bytes, MAX_CHUNK_BYTES, self.limit - self.offset)
        return Span(self.offset, size_bytes) if size_bytes > 0 else None

    def sent(self, span: Span) -> None:
        """The chunk was handed to the socket."""
        self.offset = span.offset + span.size_bytes
