"""What the records of a run tell of its aggregation: bytes of a client, errors, epsilon, metrics; raw values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from analysis.load import Run
from analysis.methods import PERSONAL, is_reference, settings_of
from harness.records import PrivacySpent

Component = Literal["averaging", "truncation", "made"]
COMPONENTS: tuple[Component, ...] = ("made", "averaging", "truncation")
NUMBER_BYTES = 4
"""Tensors travel as float32."""


@dataclass(frozen=True)
class Payload:
    """Mean bytes of a client in a round, one way: ``head`` of them are of the task's head, None where not known.

    ``adapter`` is the rest, with the file's own header of a few kilobytes.
    """

    whole: float
    head: float | None

    @property
    def adapter(self) -> float | None:
        """What is not the head's."""
        return None if self.head is None else self.whole - self.head

    @property
    def shown(self) -> float:
        """The adapter's part; all of it where that is not known."""
        return self.whole if self.adapter is None else self.adapter


@dataclass(frozen=True)
class Course:
    """A value of each round that has one: its mean and its last."""

    mean: float
    last: float


def download(run: Run) -> Payload | None:
    """What a client was sent in a round; None of a reference, where nothing travels, and without updates."""
    return _payload(run, [client.download_bytes for client in run.clients])


def upload(run: Run) -> Payload | None:
    """What a client sent in a round; None as of :func:`download`."""
    return _payload(run, [client.upload_bytes for client in run.clients])


def errors(run: Run, component: Component) -> Course | None:
    """An error relative to its round's change, over rounds; None where no round tells it."""
    found = [value for _, value in by_round(run, component)]
    return Course(fmean(found), found[-1]) if found else None


def by_round(run: Run, component: Component) -> tuple[tuple[int, float], ...]:
    """Round and relative error of each round that tells it."""
    told = ((record.round, getattr(record.errors, component)) for record in run.rounds if record.errors)
    return tuple((number, value) for number, value in told if value is not None)


def has_errors(run: Run) -> bool:
    """Whether any round tells an error."""
    return any(record.errors for record in run.rounds)


def spent(run: Run) -> PrivacySpent | None:
    """What the run has spent in all: the last round's; None of a run without privacy."""
    return next((record.privacy for record in reversed(run.rounds) if record.privacy), None)


def last_metric(run: Run, name: str) -> float | None:
    """A metric in the last round in which it was evaluated."""
    return next((record.metrics[name] for record in reversed(run.rounds) if name in record.metrics), None)


def _payload(run: Run, sizes: Sequence[int]) -> Payload | None:
    if is_reference(run) or not sizes:
        return None
    whole, head = fmean(sizes), _head_bytes(run)
    return Payload(whole, head if head is not None and head <= whole else None)


def _head_bytes(run: Run) -> float | None:
    """Bytes of the head in a file: none where it stays at its client, twice where its control variate goes with it."""
    if run.header.parameters is None:
        return None
    if run.header.method in PERSONAL:
        return 0.0
    files = 2 if settings_of(run).scaffold else 1
    return float(files * NUMBER_BYTES * run.header.parameters.head)
