"""What a client is given to train from. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harness.tensorfile import Layout


@dataclass(frozen=True)
class Lean:
    """A smaller file, enough for a trainer that was last given the whole state ``since`` (a SHA-256)."""

    path: Path
    sha256: str
    since: str


@dataclass(frozen=True)
class Outgoing:
    """The files of one client in one round.

    ``whole`` holds all that a trainer needs beside what was shipped once. ``update`` is the layout that the client's
    update has to have. ``kept_bytes`` of whole and ``kept_update_bytes`` of the update stay at the client by the
    method's rule (fedsa): a virtual fleet moves them nonetheless, and does not count them.
    """

    whole: Path
    sha256: str
    update: Layout
    lean: Lean | None = field(default=None)
    kept_bytes: int = 0
    kept_update_bytes: int = 0
