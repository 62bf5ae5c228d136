"""What each client of an experiment holds, without a model and without training."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from harness.errors import UsageError
from harness.learning.data import divergence
from harness.learning.data.partition import partition
from harness.learning.data.sources import load_dataset
from harness.learning.seeding import profile_seed
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


def clients_of(experiment: Experiment, data: Path | None) -> Clients:
    """Partition the experiment's training samples as a run does, and count.

    Raises:
        UsageError: the data set is not there or not what the profile says, or the experiment has none.
    """
    if experiment.train.trainer == "null":
        raise UsageError(f"{experiment.name} trains nothing, so its clients hold no samples; name another profile")
    splits = load_dataset(experiment.dataset, data)
    seed = profile_seed("partition", experiment.seeds.partition)
    parts = partition(splits.train.labels, experiment.partition, seed)
    counts = divergence.class_counts(splits.train.labels, parts, len(splits.label_names))
    apart = divergence.against_the_whole(counts)
    return Clients(
        experiment=experiment.name,
        kind=experiment.partition.kind,
        alpha=experiment.partition.alpha,
        seed=experiment.seeds.partition,
        samples=len(splits.train.labels),
        classes=splits.label_names,
        mean_pairwise=divergence.mean_of_pairs(divergence.between_clients(counts)),
        mean_from_whole=float(np.mean(apart)),
        clients=tuple(
            Client(client=client, samples=int(row.sum()), by_class=tuple(row.tolist()), from_whole=float(far))
            for client, (row, far) in enumerate(zip(counts, apart, strict=True))
        ),
    )
