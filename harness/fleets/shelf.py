"""Blobs that agents may fetch: found by their hash alone, so that no path ever comes from the wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from harness.blobs import read_span
from harness.errors import BlobError
from harness.protocol.messages import BlobRef, Fetch
from harness.protocol.transfer import Span, spans

OPEN_FILES = 8


class Shelf:
    """Files by hash. A few of them stay open: agents fetch a blob in many small requests."""

    def __init__(self) -> None:
        self._blobs: dict[str, tuple[Path, int]] = {}
        self._open: dict[str, BinaryIO] = {}

    def put(self, blob: BlobRef, path: Path) -> None:
        """Let ``blob`` be fetched from ``path``."""
        self._blobs[blob.sha256] = (path, blob.size_bytes)

    def answer(self, fetch: Fetch) -> Iterator[tuple[Span, bytes]]:
        """The chunks that a Fetch asks for, read one by one.

        Raises:
            BlobError: there is no such blob here (any more), or the request does not fit it.
        """
        if fetch.sha256 not in self._blobs:
            raise BlobError(f"blob {fetch.sha256[:12]} is not offered in this run")
        path, size_bytes = self._blobs[fetch.sha256]
        chunks = spans(fetch, size_bytes)
        try:
            file = self._file(fetch.sha256, path)
            for span in chunks:
                yield span, read_span(file, span)
        except OSError as error:
            raise BlobError(f"blob {fetch.sha256[:12]} cannot be read from {path}: {error.strerror}") from None

    def close(self) -> None:
        """Close the files."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    def _file(self, sha256: str, path: Path) -> BinaryIO:
        file = self._open.pop(sha256, None) or path.open("rb")
        self._open[sha256] = file  # last is most recently used
        if len(self._open) > OPEN_FILES:
            self._open.pop(next(iter(self._open))).close()
        return file
