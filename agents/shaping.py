"""Transfers at the pace of a link: a download asks, and an upload sends, as much as the link lets through by now.

Neither ever waits: :meth:`pump` does what may be done now and says after how long to call it again, so that heartbeats
go on beside it. A download is paced by its requests: a chunk is asked for when its last byte would have arrived. Where
nothing moves although it is the other side's turn, the connection counts as broken: what a network swallowed, and with
it what this end would say again, does not come by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agents.kept import Transfer
from agents.patience import Patience
from harness.blobs import Landing, read_span
from harness.links import Pacer
from harness.protocol.messages import Accept, Chunk, Corrupt, Credit, Message, Offer, Received
from harness.protocol.transfer import Outgoing

SLICE_BYTES = 16 * 1024 * 1024
"""So much of a partial file is hashed at once; then heartbeats have their turn."""

Send = Callable[[Message, "bytes | None"], None]


class KernelPacer(Pacer):
    """The pace over a link whose rate the kernel keeps: the latency alone. What it allowed, the kernel's plan tells."""

    def __init__(self, latency_s: float, now_s: float, mean_bps: Callable[[float, float], float | None]) -> None:
        super().__init__(None, latency_s, now_s)
        self._from_s, self._mean_bps = now_s + 2 * latency_s, mean_bps

    def allowed_bps(self, now_s: float) -> float | None:
        """The mean rate until now; None where this end does not know."""
        return self._mean_bps(self._from_s, now_s)


class StalledError(Exception):
    """Nothing moved for longer than there is patience for; a new connection may do better."""


class Download:
    """A blob on its way here; it begins now. What is in the partial file already was moved by an earlier try."""

    def __init__(self, landing: Landing, pacer: Pacer, send: Send, now_s: float) -> None:
        self._landing, self._pacer, self._send = landing, pacer, send
        self._began_s = now_s
        self._patience = Patience(now_s)
        self._moved_bytes = 0

    @property
    def sha256(self) -> str:
        """Which blob."""
        return self._landing.incoming.blob.sha256

    def arrived(self, offset: int, data: memoryview, now_s: float) -> None:
        """A chunk of this blob came."""
        if not self._landing.caught_up:
            return  # of an earlier request; it is asked for again
        before = self._landing.incoming.landed_bytes
        self._landing.arrived(offset, data)
        if self._landing.incoming.landed_bytes > before:
            self._moved_bytes += self._landing.incoming.landed_bytes - before
            self._patience.moved(now_s)

    def landed(self) -> bool:
        """Whether the blob is here and intact, in its file; a damaged one begins again, once.

        Raises:
            BlobError: it is damaged for the second time.
        """
        return self._landing.incoming.complete and isinstance(self._landing.finish(), Received)

    def go_on(self, now_s: float) -> None:
        """Over a new connection: what was asked for will not come."""
        self._landing.incoming.rewind()
        self._patience.nothing_awaited(now_s)

    def pump(self, now_s: float) -> float | None:
        """Ask for what may come now; returns after how long to ask again, None: when a chunk has come.

        Raises:
            StalledError: what was asked for does not come.
        """
        if not self._landing.catch_up(SLICE_BYTES):
            return 0.0
        incoming = self._landing.incoming
        if incoming.asked_bytes == incoming.landed_bytes:
            self._patience.nothing_awaited(now_s)
        elif self._patience.lost(now_s):
            raise StalledError
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
        return None if incoming.complete else self._patience.wait_s(now_s)

    def transfer(self, now_s: float) -> Transfer:
        """How it went, at its end."""
        resumed_bytes = self._landing.incoming.resumed_bytes
        return _transfer(self._began_s, now_s, self._moved_bytes, resumed_bytes, self._pacer)

    def close(self) -> None:
        """Give up; what is here stays in the partial file."""
        self._landing.close()


class Upload:
    """An update on its way to the controller: offered now, it begins with the first Accept.

    Over a connection nothing is sent before its first Accept: only the controller knows what it has.
    """

    def __init__(self, offer: Offer, path: Path, pacer_at: Callable[[float], Pacer], send: Send, now_s: float) -> None:
        self._offer, self._outgoing = offer, Outgoing(offer.blob)
        self._file = path.open("rb")
        self._pacer_at, self._send = pacer_at, send
        self._patience = Patience(now_s)
        self._pacer: Pacer | None = None
        self._accepted = False
        self._began_s = 0.0
        self._moved_bytes = self._resumed_bytes = self._landed_bytes = 0

    @property
    def sha256(self) -> str:
        """Which blob."""
        return self._outgoing.blob.sha256

    def offer(self, now_s: float) -> None:
        """Offer it, for the first time or again over a new connection."""
        self._patience.nothing_awaited(now_s)
        self._accepted = False
        self._send(self._offer, None)

    def take(self, message: Accept | Credit | Corrupt, now_s: float) -> None:
        """What the controller says about this upload.

        Raises:
            BlobError: it arrived damaged twice, or the controller's offset makes no sense.
        """
        match message:
            case Accept():
                self._outgoing.accepted(message)
                self._accepted = True
                self._landed(message.offset, now_s)
                if self._pacer is None:
                    self._pacer, self._began_s = self._pacer_at(now_s), now_s
                    self._resumed_bytes = message.offset
            case Credit():
                self._outgoing.credited(message)
                self._landed(message.offset, now_s)
            case Corrupt():
                self._outgoing.corrupt(message)
                self._patience.moved(now_s)
                self._landed_bytes = self._resumed_bytes = 0

    def pump(self, now_s: float) -> float | None:
        """Send what may go now; returns after how long to go on, None: when more credit has come.

        Raises:
            StalledError: the controller says nothing to what was sent.
        """
        while self._pacer and self._accepted and (span := self._outgoing.next_span(self._pacer.chunk_bytes)):
            self._patience.nothing_awaited(now_s)
            wait_s = self._pacer.wait_s(span.size_bytes, now_s)
            if wait_s > 0:
                return wait_s
            self._pacer.take(span.size_bytes, now_s)
            self._send(Chunk(sha256=self.sha256, offset=span.offset), read_span(self._file, span))
            self._outgoing.sent(span)
            self._moved_bytes += span.size_bytes
        if self._patience.lost(now_s):
            raise StalledError
        return self._patience.wait_s(now_s)

    def transfer(self, now_s: float) -> Transfer:
        """How it went, at its acknowledgement."""
        if self._pacer is None:  # the controller had all of it
            return _transfer(now_s, now_s, 0, self._offer.blob.size_bytes, None)
        return _transfer(self._began_s, now_s, self._moved_bytes, self._resumed_bytes, self._pacer)

    def close(self) -> None:
        """Give up, or done."""
        self._file.close()

    def _landed(self, offset: int, now_s: float) -> None:
        if offset > self._landed_bytes:
            self._landed_bytes = offset
            self._patience.moved(now_s)


def _transfer(began_s: float, now_s: float, moved_bytes: int, resumed_bytes: int, pacer: Pacer | None) -> Transfer:
    link_bps = None if pacer is None else pacer.allowed_bps(now_s)
    return Transfer(duration_s=now_s - began_s, moved_bytes=moved_bytes, link_bps=link_bps, resumed_bytes=resumed_bytes)
