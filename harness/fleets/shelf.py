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
KEPT_BYTES = 16 * 1024 * 1024
"""So much of what was read last is kept: all agents of a round fetch one state, and about at once."""


class Shelf:
    """Files by hash. A few of them stay open: agents fetch a blob in many small requests."""

    def __init__(self) -> None:
        self._lasting: dict[str, tuple[Path, int]] = {}
        self._passing: dict[str, tuple[Path, int]] = {}
        self._round = 0
        self._open: dict[str, BinaryIO] = {}
        self._kept: dict[tuple[str, Span], bytes] = {}
        self.kept_bytes = 0
        """How much of what was read is at hand."""

    def put(self, blob: BlobRef, path: Path) -> None:
        """Let ``blob`` be fetched from ``path`` as long as the run goes on."""
        self._lasting[blob.sha256] = (path, blob.size_bytes)

    def put_for(self, round: int, blob: BlobRef, path: Path) -> None:
        """Let ``blob`` be fetched from ``path`` in this round; with the first of a round those of others go."""
        if round != self._round:
            self._round = round
            self._clear()
        self._passing[blob.sha256] = (path, blob.size_bytes)

    def answer(self, fetch: Fetch) -> Iterator[tuple[Span, bytes]]:
        """The chunks that a Fetch asks for, read one by one.

        Raises:
            BlobError: there is no such blob here (any more), or the request does not fit it.
        """
        found = self._passing.get(fetch.sha256) or self._lasting.get(fetch.sha256)
        if found is None:
            raise BlobError(f"blob {fetch.sha256[:12]} is not offered in this run, or not any more")
        path, size_bytes = found
        chunks = spans(fetch, size_bytes)
        try:
            for span in chunks:
                yield span, self._read(fetch.sha256, path, span)
        except OSError as error:
            raise BlobError(f"blob {fetch.sha256[:12]} cannot be read from {path}: {error.strerror}") from None

    def close(self) -> None:
        """Close the files."""
        for file in self._open.values():
            file.close()
        self._open.clear()
        self._kept.clear()
        self.kept_bytes = 0

    def _clear(self) -> None:
        """Take down what was there for a round, and close its files."""
        for sha256 in self._passing:
            if sha256 in self._open:
                self._open.pop(sha256).close()
        self._passing.clear()
        self._kept.clear()
        self.kept_bytes = 0

    def _read(self, sha256: str, path: Path, span: Span) -> bytes:
        """Bytes of a blob, from its file where they are not at hand."""
        key = (sha256, span)
        if (data := self._kept.get(key)) is not None:
            return data
        data = self._kept[key] = read_span(self._file(sha256, path), span)
        self.kept_bytes += len(data)
        while self.kept_bytes > KEPT_BYTES:  # first is what was read first
            self.kept_bytes -= len(self._kept.pop(next(iter(self._kept))))
        return data

    def _file(self, sha256: str, path: Path) -> BinaryIO:
        file = self._open.pop(sha256, None) or path.open("rb", buffering=0)
        self._open[sha256] = file  # last is most recently used
        if len(self._open) > OPEN_FILES:
            self._open.pop(next(iter(self._open))).close()
        return file
