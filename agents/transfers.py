"""All transfers of an agent, one at a time: filling the cache, the shaped download, the upload. Never waits.

While no connection stands they are paused: nothing is sent, and nothing is forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

from agents.cache import AgentCache
from agents.checking import Check
from agents.line import Line
from agents.shaping import SLICE_BYTES, Download, KernelPacer, StalledError, Upload
from agents.steps import AnyFact, BaseCached, BlobLanded, ConnectionLost, TransferFailed, UpdateAcknowledged
from harness.blobs import Landing
from harness.errors import BlobError
from harness.links import Pacer, trace_of
from harness.protocol.messages import Accept, BlobRef, Chunk, Corrupt, Credit, Offer, Provision, Received, TaskRef

MeanBps = Callable[[float, float], "float | None"]
INIT = TaskRef(round=0, client=0, attempt=1)
"""The link of the initial state has no round or client; its direction tells it from the others."""


def _not_kept(_from_s: float, _until_s: float) -> None:
    """What a link allowed on which no kernel keeps a rate."""


class Transfers:
    """What moves over the line. Call :meth:`pump` after everything that happened; it gives facts and a time to wait.

    ``uplink_bps`` tells what an uplink allowed that the kernel keeps, between two moments.
    """

    def __init__(
        self, line: Line, cache: AgentCache, now: Callable[[], float], uplink_bps: MeanBps = _not_kept
    ) -> None:
        self._line, self._cache, self._now, self._uplink_bps = line, cache, now, uplink_bps
        self._missing: deque[BlobRef] | None = None
        self._check: Check | None = None
        self._download: Download | None = None
        self._upload: Upload | None = None
        self._paused = False

    @property
    def under_way(self) -> bool:
        """Whether there is anything to move, now or once a connection stands."""
        return not (self._missing is None and self._download is None and self._upload is None)

    def pause(self) -> None:
        """The connection is gone."""
        self._paused = True

    def resume(self) -> None:
        """A connection stands: go on where the last one broke."""
        self._paused = False
        if self._download is not None:
            self._download.go_on(self._now())
        if self._upload is not None:
            self._upload.offer(self._now())

    def fill_cache(self, blobs: tuple[BlobRef, ...]) -> None:
        """Begin to fetch what the cache lacks, as fast as the network goes."""
        self._missing = deque(blobs)

    def fetch(self, blob: BlobRef, provision: Provision, task: TaskRef | None) -> list[AnyFact]:
        """Begin to fetch a state over the link, even if an equal one is here; what a broken try left is taken up."""
        pacer = self._pacer(provision, task or INIT, "init" if task is None else "down", self._now())
        try:
            target = self._cache.init if task is None else self._cache.room_for_state(blob)
            self._begin(Landing(blob, target, resume=task is not None, at_once=False), pacer)
        except OSError as error:
            return [self._failed(error)]
        return []

    def offer(self, offer: Offer, provision: Provision) -> list[AnyFact]:
        """Offer an update; it goes once the controller accepts."""

        def pacer_at(now_s: float) -> Pacer:
            return self._pacer(provision, offer.ref, "up", now_s)

        try:
            self._upload = Upload(offer, self._cache.update, pacer_at, self._line.send, self._now())
        except OSError as error:
            return [self._failed(error)]
        if not self._paused:
            self._upload.offer(self._now())
        return []

    def drop(self) -> None:
        """Forget all; partial files of the cache stay."""
        for transfer in (self._download, self._upload):
            if transfer is not None:
                transfer.close()
        self._missing = self._check = self._download = self._upload = None

    def take(self, message: Chunk | Accept | Credit | Corrupt | Received, data: memoryview | None) -> list[AnyFact]:
        """A message of a transfer; one that belongs to none of those under way changes nothing."""
        try:
            if isinstance(message, Chunk):
                if self._download is not None and self._download.sha256 == message.sha256 and data is not None:
                    self._download.arrived(message.offset, data, self._now())
            elif self._upload is not None and self._upload.sha256 == message.sha256:
                return self._about_upload(self._upload, message)
        except (BlobError, OSError) as error:
            return [self._failed(error)]
        return []

    def pump(self) -> tuple[list[AnyFact], float | None]:
        """Do what may be done now; returns what came to an end, and after how long to call again at the latest."""
        if self._paused:
            return [], None
        try:
            if self._download is not None and self._download.landed():
                return self._landed(self._download), 0.0
            if self._download is not None:
                return [], self._download.pump(self._now())
            if self._missing is not None:
                return self._next_missing(self._missing), 0.0
            return [], None if self._upload is None else self._upload.pump(self._now())
        except StalledError:
            return [ConnectionLost(at_s=self._now(), reason="a transfer stood still for too long")], 0.0
        except (BlobError, OSError) as error:
            return [self._failed(error)], 0.0

    def _next_missing(self, missing: deque[BlobRef]) -> list[AnyFact]:
        """One blob a turn, or a part of it: hashing base weights takes a while, and a heartbeat may be due."""
        if not missing:
            self._missing = None
            return [BaseCached(at_s=self._now())]
        self._check = self._check or Check(missing[0], self._cache.blobs.path(missing[0].sha256))
        holds = self._check.holds(SLICE_BYTES)
        if holds is not None:
            self._check = None
        if holds:
            missing.popleft()
        elif holds is False:
            self._begin(self._cache.blobs.land(missing[0]), Pacer(None, 0.0, self._now()))
        return []

    def _landed(self, download: Download) -> list[AnyFact]:
        self._download = None
        if self._missing is not None:
            self._missing.popleft()
            return []
        now_s = self._now()
        return [BlobLanded(at_s=now_s, transfer=download.transfer(now_s))]

    def _about_upload(self, upload: Upload, message: Accept | Credit | Corrupt | Received) -> list[AnyFact]:
        now_s = self._now()
        if not isinstance(message, Received):
            upload.take(message, now_s)
            return []
        self._upload = None
        upload.close()
        wire_bytes = self._line.wire_bytes
        return [UpdateAcknowledged(at_s=now_s, transfer=upload.transfer(now_s), wire_bytes=wire_bytes)]

    def _begin(self, landing: Landing, pacer: Pacer) -> None:
        self._download = Download(landing, pacer, self._line.send, self._now())

    def _failed(self, error: BlobError | OSError) -> TransferFailed:
        self.drop()
        where = f": {Path(str(error.filename))}" if isinstance(error, OSError) and error.filename else ""
        words = f"{error.strerror}{where}" if isinstance(error, OSError) else str(error)
        return TransferFailed(at_s=self._now(), reason=f"a transfer was given up: {words}")

    def _pacer(self, provision: Provision, task: TaskRef, direction: str, now_s: float) -> Pacer:
        """The pace of a transfer; where the kernel keeps the rate, the latency alone is waited for."""
        link = provision.link
        if link.shaping == "kernel":
            return KernelPacer(link.latency_s, now_s, self._uplink_bps if direction == "up" else _not_kept)
        return Pacer(trace_of(link, provision.link_seed, task.round, task.client, direction), link.latency_s, now_s)
