"""What clients hold, from the partitions that runs recorded: facts, and the table beside the others; pure.

Runs of one comparison have equal partitions, which are shown once; where they differ, each has the labels of its runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, median

import numpy as np

from analysis import stats, units
from analysis.load import Run
from analysis.rendering import Column, Record, Table
from harness import divergence
from harness.records import Partition

DECIMALS = 3
"""Of a divergence and of a share, in tables and figures; records are never rounded."""


@dataclass(frozen=True)
class SharedPartition:
    """A partition and the runs that have it. ``labels`` is empty where all runs of the report do."""

    partition: Partition
    labels: tuple[str, ...]

    @cached_property
    def samples(self) -> tuple[int, ...]:
        """Samples of each client."""
        return tuple(sum(row) for row in self.partition.counts)

    @cached_property
    def between(self) -> divergence.Matrix:
        """Divergence of each pair of clients, [clients, clients]."""
        return divergence.between_clients(np.array(self.partition.counts))

    @cached_property
    def from_whole(self) -> tuple[float, ...]:
        """Divergence of each client from all samples together."""
        return tuple(divergence.against_the_whole(np.array(self.partition.counts)).tolist())

    @property
    def mean_of_pairs(self) -> float:
        """Mean divergence of two different clients."""
        return divergence.mean_of_pairs(self.between)

    @property
    def kind(self) -> str:
        """How the samples were dealt out, in words."""
        draws = "dirichlet" in self.partition.kind
        alpha = f", alpha {self.partition.alpha:g}" if draws else ""
        return f"{self.partition.kind}{alpha}, seed {self.partition.seed}"

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Name and value of what is worth knowing without a figure."""
        held = [sum(count > 0 for count in row) for row in self.partition.counts]
        return (
            ("clients", units.count(len(self.samples))),
            ("classes", units.count(len(self.partition.classes))),
            ("partition", self.kind),
            ("samples a client", _spread(self.samples)),
            ("classes a client", _spread(held)),
            ("divergence of two clients", f"{divergence_text(self.mean_of_pairs)} (mean)"),
            ("divergence from the whole", f"{divergence_text(fmean(self.from_whole))} (mean)"),
        )


def shared_partitions(runs: Sequence[Run]) -> tuple[SharedPartition, ...]:
    """Each distinct partition once, in the order of the runs; runs that recorded none are left out."""
    holders: dict[Partition, list[str]] = {}
    for label, run in zip(stats.labels(runs), runs, strict=True):
        if run.partition is not None:
            holders.setdefault(run.partition, []).append(label)
    return tuple(
        SharedPartition(partition, () if len(labels) == len(runs) else tuple(labels))
        for partition, labels in holders.items()
    )


def partition_table(runs: Sequence[Run]) -> Table:
    """One row a client: samples, divergence from the whole, samples of each class. No rows where none was recorded."""
    shared = shared_partitions(runs)
    records = tuple(record for each in shared for record in _records(each))
    keys = dict.fromkeys(key for record in records for key in record)
    records = tuple({key: record.get(key) for key in keys} for record in records)  # classes differ between data sets
    return Table(
        name="partition",
        title="Clients and their classes",
        note="Samples of each class; from_whole is the client's Jensen-Shannon divergence (base 2) from all samples.",
        columns=tuple(Column(key, numeric=key != "runs") for key in keys),
        rows=tuple(tuple(_cell(key, value) for key, value in record.items()) for record in records),
        records=records,
    )


def divergence_text(value: float) -> str:
    """A divergence or a share as people read it."""
    return f"{value:.{DECIMALS}f}"


def _records(shared: SharedPartition) -> list[Record]:
    labels: Record = {"runs": units.listing(shared.labels)} if shared.labels else {}
    rows = zip(shared.samples, shared.from_whole, shared.partition.counts, strict=True)
    return [
        labels
        | {"client": client, "samples": samples, "from_whole": far}
        | {f"class_{name}": count for name, count in zip(shared.partition.classes, row, strict=True)}
        for client, (samples, far, row) in enumerate(rows)
    ]


def _cell(key: str, value: object) -> str:
    if value is None:
        return ""
    return divergence_text(value) if key == "from_whole" and isinstance(value, float) else str(value)


def _spread(values: Sequence[int]) -> str:
    """Least, greatest and median; one number where all are the same."""
    if min(values) == max(values):
        return f"{values[0]:,} each"
    return f"{min(values):,} to {max(values):,}, median {median(values):,g}"
