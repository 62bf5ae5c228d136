"""The clients of an experiment: which training samples each has, and the record of their classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.divergence import class_counts
from harness.learning.data.examples import Dataset
from harness.learning.data.partition import Indices, partition
from harness.learning.seeding import profile_seed
from harness.profiles import Experiment, Method
from harness.records import Partition


def parts_of(experiment: Experiment, dataset: Dataset, method: Method | None = None) -> list[Indices]:
    """Indices of the training samples of each client, by client id.

    To ``central`` all clients are one, which holds what they hold together, in the order of the data set; a sample that
    several of them hold counts as often.

    Raises:
        UsageError: the samples cannot be shared out as the profile says.
    """
    parts = partition(dataset.classes, experiment.partition, profile_seed("partition", experiment.seeds.partition))
    return [np.sort(np.concatenate(parts))] if method == "central" else parts


def partition_record(experiment: Experiment, dataset: Dataset, parts: Sequence[Indices]) -> Partition:
    """How many samples of each class each client has."""
    counts = class_counts(dataset.classes, parts, len(dataset.class_names))
    return Partition(
        kind=experiment.partition.kind,
        alpha=experiment.partition.alpha,
        seed=experiment.seeds.partition,
        classes=dataset.class_names,
        counts=tuple(tuple(row) for row in counts.tolist()),
    )
