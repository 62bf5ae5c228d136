"""One local training of several that are done together."""

from __future__ import annotations

from pathlib import Path

import msgspec


class LocalTask(msgspec.Struct, frozen=True, kw_only=True):
    """Train the whole ``state`` of ``round`` on ``shard``, all chance from ``seed``; the result lands in ``update``."""

    state: Path
    shard: Path
    update: Path
    seed: int
    round: int
