"""One local training with a stopwatch: who trains holds the clock, the trainer does not."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from harness.learning.memory import peak_rss_bytes
from harness.learning.spec import Trained, Trainer


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a training did, and what its three steps took.

    ``cpu_s`` is processor time of all three over all threads, ``peak_rss_bytes`` the process' greatest so far.
    """

    trained: Trained
    load_s: float
    train_s: float
    serialise_s: float
    cpu_s: float
    peak_rss_bytes: int


def measured(trainer: Trainer, state: Path, shard: Path, update: Path, seed: int, round: int) -> Measured:
    """Load, train, save: the trainer's update of ``state`` on ``shard`` lands in ``update``."""
    cpu_s, marks = time.process_time(), [time.monotonic()]
    trainer.load(state, shard, round)
    marks.append(time.monotonic())
    trained = trainer.train(seed, round)
    marks.append(time.monotonic())
    trainer.save(update)
    marks.append(time.monotonic())
    return Measured(
        trained=trained,
        load_s=marks[1] - marks[0],
        train_s=marks[2] - marks[1],
        serialise_s=marks[3] - marks[2],
        cpu_s=time.process_time() - cpu_s,
        peak_rss_bytes=peak_rss_bytes(),
    )
