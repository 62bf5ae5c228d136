"""The finished update on disk until the controller has it: an agent that starts again does not train it again.

A small journal beside the update tells which task it is of and what was measured. It is written whole after the update
is, so that an update without a journal is one that was not finished.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from agents.kept import Kept
from harness.blobs import blob_of
from harness.durable import replace_whole

log = logging.getLogger("agents")

MAX_JOURNAL_BYTES = 1024 * 1024


class Outbox:
    """One update at most, and its journal."""

    def __init__(self, update: Path, journal: Path) -> None:
        self._update, self._journal = update, journal

    def keep(self, kept: Kept) -> None:
        """Write the journal of the update. Without one the run goes on: only an agent that dies would train again."""
        try:
            replace_whole(self._journal, msgspec.msgpack.encode(kept))
        except OSError as error:
            self._journal.unlink(missing_ok=True)
            log.warning("the finished update would not outlive this agent: %s: %s", error.strerror, self._journal)

    def load(self) -> Kept | None:
        """What an earlier agent kept, if it is whole; anything else is removed."""
        kept = self._read()
        if kept is not None and self._intact(kept):
            return kept
        self.forget()
        return None

    def forget(self) -> None:
        """Remove the update and its journal."""
        self._journal.unlink(missing_ok=True)
        self._update.unlink(missing_ok=True)

    def _read(self) -> Kept | None:
        try:
            with self._journal.open("rb") as file:
                return msgspec.msgpack.decode(file.read(MAX_JOURNAL_BYTES), type=Kept)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
            log.warning("the journal of a finished update is damaged and was dropped: %s", error)
            return None

    def _intact(self, kept: Kept) -> bool:
        try:
            here = blob_of(self._update)
        except OSError:
            return False
        if (here.sha256, here.size_bytes) == (kept.update.sha256, kept.update.size_bytes):
            return True
        log.warning("the finished update of client %d is damaged and was dropped", kept.key.client)
        return False
