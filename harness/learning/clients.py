"""What each client of an experiment holds, without a model and without training."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from harness import divergence
from harness.errors import UsageError
from harness.learning.data.dataset import load_dataset
from harness.learning.partitioned import partition_record, parts_of
from harness.profiles import Experiment


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """One client: its samples by class, and its Jensen-Shannon divergence (base 2) from all samples together."""

    client: int
    samples: int
    by_class: tuple[int, ...]
    from_whole: float


class Clients(msgspec.Struct, frozen=True, kw_only=True):
    """The partition of an experiment: ``mean_pairwise`` is over pairs of clients, ``mean_from_whole`` over clients."""

    experiment: str
    kind: str
    alpha: float
    seed: int
    samples: int
    classes: tuple[str, ...]
    mean_pairwise: float
    mean_from_whole: float
    clients: tuple[Client, ...]


def clients_of(
    experiment: Experiment, data: Path | None, models: Path | None = None, report: Callable[[str], None] | None = None
) -> Clients:
    """Partition the experiment's training samples as a run does, and count.

    ``models`` is asked for where k-means embeds with a named model; ``report`` is told the steps of that.

    Raises:
        UsageError: the data set is not there or not what the profile says, or the experiment has none.
    """
    if experiment.train.trainer == "null":
        raise UsageError(f"{experiment.name} trains nothing, so its clients hold no samples; name another profile")
    with tempfile.TemporaryDirectory(prefix="federa-bench-") as workdir:
        dataset, _ = load_dataset(experiment, data, models, Path(workdir), report or (lambda line: None))
    record = partition_record(experiment, dataset, parts_of(experiment, dataset))
    counts = np.array(record.counts)
    apart = divergence.against_the_whole(counts)
    return Clients(
        experiment=experiment.name,
        kind=record.kind,
        alpha=record.alpha,
        seed=record.seed,
        samples=len(dataset.train),
        classes=record.classes,
        mean_pairwise=divergence.mean_of_pairs(divergence.between_clients(counts)),
        mean_from_whole=float(np.mean(apart)),
        clients=tuple(
            Client(client=client, samples=int(row.sum()), by_class=tuple(row.tolist()), from_whole=float(far))
            for client, (row, far) in enumerate(zip(counts, apart, strict=True))
        ),
    )
