"""Files by content: hashing them, a folder of blobs named by their hash, and a blob landing in a partial file."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import stat
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from harness.errors import BlobError
from harness.protocol.messages import BlobRef, Corrupt, Received
from harness.protocol.transfer import Incoming, Span

READ_BYTES = 1024 * 1024
HASHED_BYTES = 256 * 1024
"""Small enough for a core's own cache."""


def blob_of(path: Path, name: str | None = None) -> BlobRef:
    """A file's hash and size, under ``name`` (the file's own name by default)."""
    digest, size_bytes = hashlib.sha256(), 0
    # Always into the same bytes: memory that is new for each read takes as long as the read.
    buffer = memoryview(bytearray(HASHED_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            size_bytes += count
    return BlobRef(name=name or path.name, sha256=digest.hexdigest(), size_bytes=size_bytes)


def read_span(file: BinaryIO, span: Span) -> bytes:
    """Bytes of an open blob, to be sent.

    Raises:
        BlobError: the file has shrunk; the receiver would wait for the rest in vain.
    """
    data = os.pread(file.fileno(), span.size_bytes, span.offset)
    if len(data) < span.size_bytes:
        raise BlobError(f"{file.name} has lost bytes since it was hashed: it ends at {span.offset + len(data)}")
    return data


class Landing:
    """A blob on its way into a file: an :class:`Incoming` whose bytes go to a partial file that ends as ``target``.

    The partial file is named by target and hash, so that what is left of another blob is not taken for this one's
    beginning. What an earlier try left in it is kept and counted if ``resume`` is given: at once, or, where a large
    file would hold up what else there is to do, piece by piece with :meth:`catch_up`. While another process has that
    file, this one has a partial file of its own: the blob comes twice, and is the same.

    What is left of other blobs that were to be ``target`` goes when this one is there. ``alone``: there is nothing, as
    the caller knows; a folder of many files need not be read for it.
    """

    def __init__(self, blob: BlobRef, target: Path, *, resume: bool, at_once: bool = True, alone: bool = False) -> None:
        self.incoming = Incoming(blob)
        self.target, self._alone = target, alone
        partial = partial_of(blob, target)
        self.partial, self._file = _one_alone(partial)
        if not resume or self.partial != partial:
            self._file.truncate(0)
        self.caught_up = False
        """Whether all that an earlier try left is counted; before that nothing may arrive or be asked for."""
        while at_once and not self.catch_up():
            pass

    def catch_up(self, most_bytes: int = READ_BYTES) -> bool:
        """Count, and hash, up to so many bytes more of what an earlier try left; whether that is all."""
        if self.caught_up:
            return True
        end_bytes = min(self.incoming.blob.size_bytes, self.incoming.landed_bytes + most_bytes)
        while data := self._file.read(min(READ_BYTES, end_bytes - self.incoming.landed_bytes)):
            self.incoming.resume(data)
        if self.incoming.landed_bytes < end_bytes or self.incoming.complete:
            self._file.truncate(self.incoming.landed_bytes)
            self.caught_up = True
        return self.caught_up

    def arrived(self, offset: int, data: bytes | memoryview) -> bool:
        """Write what is new in a chunk; returns whether the blob is complete now.

        Raises:
            BlobError: the chunk reaches beyond the blob's end.
            OSError: the file could not be written.
        """
        landed = self.incoming.arrived(offset, data)
        if landed is not None:
            unwritten, offset = memoryview(landed.data), landed.offset
            while unwritten:
                count = os.pwrite(self._file.fileno(), unwritten, offset)
                unwritten, offset = unwritten[count:], offset + count
        return self.incoming.complete

    def finish(self) -> Received | Corrupt:
        """Of a complete blob: check its hash and give the file its name. After Corrupt it is at offset 0 again.

        Raises:
            BlobError: the hash is wrong for the second time; the partial file is gone.
            OSError: the file could not be written.
        """
        try:
            verdict = self.incoming.verdict()
        except Exception:
            self.close()
            self.partial.unlink(missing_ok=True)
            raise
        if isinstance(verdict, Corrupt):
            self._file.seek(0)
            self._file.truncate()
            return verdict
        os.replace(self.partial, self.target)
        self._file.close()
        if not self._alone:
            self._sweep()
        return verdict

    def close(self) -> None:
        """Give up for now; the partial file stays for a later try."""
        self._file.close()

    def _sweep(self) -> None:
        """What is left of other blobs that were to be this file; such as another agent's update of the same task."""
        for name in os.listdir(self.target.parent):
            if name.startswith(f"{self.target.name}.") and name.endswith(".part"):
                path = self.target.with_name(name)
                left = open_alone(path)
                if left is not None:
                    path.unlink(missing_ok=True)
                    left.close()


def partial_of(blob: BlobRef, target: Path) -> Path:
    """The file that holds what has landed so far of a blob that is to be ``target``."""
    hash = "" if target.name == blob.sha256 else f".{blob.sha256[:16]}"
    return target.with_name(f"{target.name}{hash}.part")


def _one_alone(partial: Path) -> tuple[Path, FileIO]:
    """The partial file, or one beside it where it is held; held either way, so that nobody sweeps it away meanwhile."""
    beside = (partial.with_suffix(f".{os.getpid()}-{number}.part") for number in itertools.count(1))
    for path in itertools.chain([partial], beside):
        if (file := open_alone(path)) is not None:
            return path, file
    raise AssertionError("there is always a next number")


def put_back(blob: BlobRef, target: Path) -> None:
    """Make a file that could be this blob, landed whole, a partial file again: a landing then checks all of it."""
    with suppress(FileNotFoundError):
        found = os.stat(target)
        if stat.S_ISREG(found.st_mode) and found.st_size == blob.size_bytes:
            os.replace(target, partial_of(blob, target))


def open_alone(path: Path) -> FileIO | None:
    """Open, or make, a file for this process alone; None where another one has it.

    It is not buffered: what a full disk did not take would be tried again, and fail again, when it is closed.
    """
    file = os.fdopen(_opened(path), "r+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    if _is_at(path, file):
        return file
    file.close()  # the other one finished and renamed it between our two steps
    return open_alone(path)


def _opened(path: Path) -> int:
    """A descriptor of a file that may be new, in a folder that may be."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)


def _is_at(path: Path, file: FileIO) -> bool:
    try:
        return os.stat(path).st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


class BlobFolder:
    """A folder of blobs, each a file named by its SHA-256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the blob of this hash is, or will be."""
        return self.folder / sha256

    def holds(self, blob: BlobRef) -> bool:
        """Whether the blob is here and intact; a damaged file is removed."""
        path = self.path(blob.sha256)
        if not path.is_file():
            return False
        if path.stat().st_size == blob.size_bytes and blob_of(path).sha256 == blob.sha256:
            return True
        path.unlink()
        return False

    def land(self, blob: BlobRef) -> Landing:
        """Begin, or go on, to receive a blob."""
        return Landing(blob, self.path(blob.sha256), resume=True)
