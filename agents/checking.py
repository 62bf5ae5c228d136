"""Whether a file of the cache is what its name says: hashed piece by piece, so that heartbeats go on beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.blobs import READ_BYTES
from harness.protocol.messages import BlobRef


class Check:
    """One look at a blob that may be here. Base weights take a device's disk half a minute."""

    def __init__(self, blob: BlobRef, path: Path) -> None:
        self._blob, self._path = blob, path
        self._digest, self._read_bytes = hashlib.sha256(), 0

    def holds(self, most_bytes: int) -> bool | None:
        """Read up to so many bytes more; whether the blob is here and intact, None: not yet known.

        A damaged file is removed.

        Raises:
            OSError: it cannot be read, or removed.
        """
        if not self._path.is_file():
            return False
        if self._path.stat().st_size == self._blob.size_bytes:
            if self._hash(most_bytes) < self._blob.size_bytes:
                return None
            if self._digest.hexdigest() == self._blob.sha256:
                return True
        self._path.unlink(missing_ok=True)
        return False

    def _hash(self, most_bytes: int) -> int:
        """Go on where the last look ended; how many bytes are hashed by now."""
        end_bytes = min(self._blob.size_bytes, self._read_bytes + most_bytes)
        with self._path.open("rb", buffering=0) as file:
            file.seek(self._read_bytes)
            while data := file.read(min(READ_BYTES, end_bytes - self._read_bytes)):
                self._digest.update(data)
                self._read_bytes += len(data)
        return self._read_bytes
