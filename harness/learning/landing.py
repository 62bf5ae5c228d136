"""A large file on its way to the disk: hashed and flushed beside the thread that makes and writes its parts."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from pathlib import Path

Data = bytes | memoryview

BESIDE_BYTES = 1024 * 1024
"""From this size on a part is hashed beside: of a smaller one, handing it over takes as long."""
FLUSH_BYTES = 64 * 1024 * 1024
WAITING = 2
"""Parts that wait to be hashed, at most: they are memory."""


def landed(path: Path, parts: Iterable[Data], *, synced: bool) -> str:
    """Write ``parts`` to the file ``path``, over what may be there; answers with their SHA-256.

    A part must not change once it is handed over: it is hashed in another thread, as hashing lets go of the
    interpreter. ``synced``: the caller is going to wait for the disk, which is therefore kept busy on the way.

    Raises:
        OSError: it could not be written.
    """
    with _opened(path) as file, ThreadPoolExecutor(1) as hasher, ThreadPoolExecutor(1) as flusher:
        hashed, flushed = _Hashed(hasher), _Flushed(flusher, file.fileno())
        for part in parts:
            hashed.add(part)
            _write(file.fileno(), part)
            if synced:
                flushed.add(len(part))
        flushed.see()
        _cut(file.fileno())
        return hashed.hexdigest()


def _opened(path: Path) -> FileIO:
    """The file, with all that is in it: over the system's memory for it, writing is several times as fast."""
    return FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666), "wb")


def _cut(fd: int) -> None:
    """Let the file end where the last part does."""
    written_bytes = os.lseek(fd, 0, os.SEEK_CUR)
    if os.fstat(fd).st_size > written_bytes:
        os.ftruncate(fd, written_bytes)


class _Hashed:
    """SHA-256 of parts, in their order."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._digest = hashlib.sha256()
        self._waiting: deque[Future[None]] = deque()

    def add(self, part: Data) -> None:
        if len(part) < BESIDE_BYTES:
            self._wait_for(0)
            self._digest.update(part)
        else:
            self._wait_for(WAITING - 1)
            self._waiting.append(self._thread.submit(self._digest.update, part))

    def hexdigest(self) -> str:
        self._wait_for(0)
        return self._digest.hexdigest()

    def _wait_for(self, most: int) -> None:
        """Wait until at most so many parts are still to be hashed."""
        while len(self._waiting) > most:
            self._waiting.popleft().result()


class _Flushed:
    """A file whose bytes go to the disk while more of them come; never two flushes at once."""

    def __init__(self, thread: ThreadPoolExecutor, fd: int) -> None:
        self._thread, self._fd = thread, fd
        self._running: Future[None] | None = None
        self._unflushed_bytes = 0

    def add(self, written_bytes: int) -> None:
        self._unflushed_bytes += written_bytes
        if self._unflushed_bytes >= FLUSH_BYTES and (self._running is None or self._running.done()):
            self.see()
            self._running, self._unflushed_bytes = self._thread.submit(os.fsync, self._fd), 0

    def see(self) -> None:
        """Wait for the last flush: the system tells each error once, so that the caller's own would not show it."""
        if self._running is not None:
            self._running.result()


def _write(fd: int, part: Data) -> None:
    """All of ``part``: the system may take less of it at once."""
    rest = memoryview(part)
    while rest:
        rest = rest[os.write(fd, rest) :]
