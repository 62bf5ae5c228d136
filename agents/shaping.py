"""Transfers at the pace of a link: a download asks, and an upload sends, as much as the link lets through by now.

Neither ever waits: :meth:`pump` does what may be done now and says after how long to call it again, so that heartbeats
go on beside it. A download is paced by its requests: a chunk is asked for when its last byte would have arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agents.steps import Transfer
from harness.blobs import Landing, read_span
from harness.links import Pacer
from harness.protocol.messages import Accept, BlobRef, Chunk, Corrupt, Credit, Message, Received
from harness.protocol.transfer import Outgoing

STALL_S = 10.0
"""Chunks that were asked for and did not come for so long are asked for again."""

Send = Callable[[Message, "bytes | None"], None]


class Download:
    """A blob on its way here; it begins now."""

    def __init__(self, landing: Landing, pacer: Pacer, send: Send, now_s: float) -> None:
        self._landing, self._pacer, self._send = landing, pacer, send
        self._began_s = self._progress_s = now_s
        self._moved_bytes = 0

    @property
    def sha256(self) -> str:
        """Which blob."""
        return self._landing.incoming.blob.sha256

    def arrived(self, offset: int, data: memoryview, now_s: float) -> None:
        """A chunk of this blob came."""
        before = self._landing.incoming.landed_bytes
        self._landing.arrived(offset, data)
        if self._landing.incoming.landed_bytes > before:
            self._moved_bytes += self._landing.incoming.landed_bytes - before
            self._progress_s = now_s

    def landed(self) -> bool:
        """Whether the blob is here and intact, in its file; a damaged one begins again, once.

        Raises:
            BlobError: it is damaged for the second time.
        """
        return self._landing.incoming.complete and isinstance(self._landing.finish(), Received)

    def pump(self, now_s: float) -> float | None:
        """Ask for what may come now; returns after how long to ask again, None: when a chunk has come."""
        incoming = self._landing.incoming
        if now_s - self._progress_s > STALL_S:
            incoming.rewind()
            self._progress_s = now_s
        while incoming.room_bytes > 0:
            size_bytes = min(self._pacer.chunk_bytes, incoming.room_bytes)
            wait_s = self._pacer.wait_s(size_bytes, now_s)
            if wait_s > 0:
                return wait_s
            fetch = incoming.fetch(size_bytes, size_bytes if self._pacer.trace else None)
            if fetch is None:
                break
            self._pacer.take(fetch.credit_bytes, now_s)
            self._send(fetch, None)
        return None if incoming.complete else STALL_S

    def transfer(self, now_s: float) -> Transfer:
        """How it went, at its end."""
        return _transfer(self._began_s, now_s, self._moved_bytes, self._pacer)

    def close(self) -> None:
        """Give up; what is here stays in the partial file."""
        self._landing.close()


class Upload:
    """An update on its way to the controller; it begins with the first Accept."""

    def __init__(self, blob: BlobRef, path: Path, pacer_at: Callable[[float], Pacer], send: Send) -> None:
        self._outgoing = Outgoing(blob)
        self._file = path.open("rb")
        self._pacer_at, self._send = pacer_at, send
        self._pacer: Pacer | None = None
        self._began_s = 0.0
        self._moved_bytes = 0

    @property
    def sha256(self) -> str:
        """Which blob."""
        return self._outgoing.blob.sha256

    def take(self, message: Accept | Credit | Corrupt, now_s: float) -> None:
        """What the controller says about this upload.

        Raises:
            BlobError: it arrived damaged twice, or the controller's offset makes no sense.
        """
        match message:
            case Accept():
                self._outgoing.accepted(message)
                if self._pacer is None:
                    self._pacer, self._began_s = self._pacer_at(now_s), now_s
            case Credit():
                self._outgoing.credited(message)
            case Corrupt():
                self._outgoing.corrupt(message)

    def pump(self, now_s: float) -> float | None:
        """Send what may go now; returns after how long to go on, None: when more credit has come."""
        if self._pacer is None:
            return None
        while span := self._outgoing.next_span(self._pacer.chunk_bytes):
            wait_s = self._pacer.wait_s(span.size_bytes, now_s)
            if wait_s > 0:
                return wait_s
            self._pacer.take(span.size_bytes, now_s)
            self._send(Chunk(sha256=self.sha256, offset=span.offset), read_span(self._file, span))
            self._outgoing.sent(span)
            self._moved_bytes += span.size_bytes
        return None

    def transfer(self, now_s: float) -> Transfer:
        """How it went, at its acknowledgement."""
        return _transfer(self._began_s if self._pacer else now_s, now_s, self._moved_bytes, self._pacer)

    def close(self) -> None:
        """Give up, or done."""
        self._file.close()


def _transfer(began_s: float, now_s: float, moved_bytes: int, pacer: Pacer | None) -> Transfer:
    link_bps = None if pacer is None else pacer.allowed_bps(now_s)
    return Transfer(duration_s=now_s - began_s, moved_bytes=moved_bytes, link_bps=link_bps)
