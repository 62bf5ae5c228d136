"""How updates become the next global state, and what clients are given of it: the contract of every strategy.

Everything that a server knows stands in the checkpoint (names: :mod:`harness.learning.forms`), and what belongs to one
client in a folder of its own, so that a resumed run goes on to the same bits.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.learning.outgoing import Outgoing
from harness.learning.spec import PrepareSpec
from harness.records import ErrorComponents


@dataclass(frozen=True)
class Update:
    """A client's update: its file, and its samples n_k."""

    client: int
    path: Path
    samples: int


@dataclass(frozen=True)
class Aggregation:
    """A round's new global state, and what aggregating lost; None of methods without low-rank factors.

    ``aside_s``: what of the time went into measuring that loss. It is not the method's.
    """

    state_sha256: str
    errors: ErrorComponents | None = None
    aside_s: float = field(default=0.0, compare=False)


class Aside:
    """A stopwatch for what is measured beside the work; it goes on in every ``with``."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._began_s = time.monotonic()

    def __exit__(self, *error: object) -> None:
        self.seconds += time.monotonic() - self._began_s


@dataclass(frozen=True)
class Ground:
    """What a strategy is made for. ``layers``: [d, k] of the adapted weights by name (empty without such).

    ``clients``: how many there are in all. ``folder`` is the run's folder for what belongs to one client (SCAFFOLD's
    control variates, FedSA's own factors). ``initial`` is the initial checkpoint: A0 and B0 stand there.
    """

    spec: PrepareSpec
    layers: dict[str, tuple[int, int]]
    clients: int
    clients_per_round: int
    initial: Path
    folder: Path


class Strategy(Protocol):
    """A method's aggregation. Files in, files out; no randomness but from the spec's seed."""

    def aggregate(self, round: int, before: Path, updates: Sequence[Update], out: Path, beside: Path) -> Aggregation:
        """Write the checkpoint of ``round`` to ``out``: whole when it has its name; the caller waits for the disk.

        ``before`` is the checkpoint of the round before; ``updates`` come in client order. What else the next round's
        clients are to be given (stacked factors) goes into the folder ``beside``, which is made if it is needed.

        Raises:
            BlobError: a file is not what it should be.
            TrainerError: an update has a value that is not finite, or no samples.
            OSError: a file could not be written.
        """

    def outgoing(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        """What ``client`` is given in ``round``, made of the checkpoint ``before``; cheap where it is there already.

        ``folder`` is the ``beside`` of the round before; its parent holds those of earlier rounds, as long as kept.
        """
