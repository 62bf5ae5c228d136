"""A data set as a run learns from it: read, checked, cut into splits, with a class for each training sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from harness.errors import UsageError
from harness.learning.data.classes import check_labels, classes_by_name, label_names
from harness.learning.data.clusters import cluster
from harness.learning.data.examples import Dataset, Example, QuestionExample
from harness.learning.data.mrqa import read_mrqa
from harness.learning.data.ploner import read_ploner
from harness.learning.data.rows import examples_of
from harness.learning.data.sources import file_in, read_table
from harness.learning.data.splits import cut, thinned
from harness.learning.seeding import profile_seed
from harness.profiles import ClassesProfile, DatasetProfile, Experiment

Report = Callable[[str], None]


def load_dataset(
    experiment: Experiment, data: Path | None, models: Path | None, workdir: Path, report: Report
) -> tuple[Dataset, tuple[str, ...]]:
    """The data set of an experiment, and warnings. Labels are checked on whole splits, before any sample is drawn.

    ``data`` and ``models`` are the user's folders; k-means keeps what it embedded below ``workdir`` and tells
    ``report`` its steps.

    Raises:
        UsageError: the data set is not there, or not what the profile says.
    """
    profile, seeds = experiment.dataset, experiment.seeds
    train, test = _train_and_test(profile, data, seeds.split)
    labels = label_names(profile, train)
    check_labels(profile, labels, "train", train)
    check_labels(profile, labels, "test", test)
    evaluated, known = test, [*train, *test]
    if experiment.evaluate.split == "validation":
        share, seed = experiment.evaluate.validation_share, profile_seed("validation-split", seeds.split)
        train, evaluated = cut(train, share, seed, "evaluate.validation_share")
    if profile.class_rule == "k-means":
        classes, class_names = _clusters(experiment, train, models, workdir, report)
    else:
        classes, class_names = classes_by_name(profile.class_rule, train, known)
    seed = profile_seed("evaluation", seeds.evaluation)
    evaluated, warnings = thinned(evaluated, experiment.evaluate.sample, seed, experiment.evaluate.split)
    return Dataset(train, evaluated, labels, classes, class_names), warnings


def _clusters(
    experiment: Experiment, train: list[Example], models: Path | None, workdir: Path, report: Report
) -> tuple[list[int], tuple[str, ...]]:
    """The cluster of each training question, and the clusters' names."""
    rule = experiment.dataset.classes or ClassesProfile(kind="k-means")
    questions = cast(list[QuestionExample], train)  # profiles allow k-means for questions alone
    clusters = cluster(questions, rule, experiment.seeds.classes, models, workdir, report)
    return clusters, tuple(f"cluster {number}" for number in range(1, rule.clusters + 1))


def _train_and_test(profile: DatasetProfile, data: Path | None, seed: int) -> tuple[list[Example], list[Example]]:
    """Both splits: as the source has them, or cut from one pool."""
    if profile.test_share is not None:
        return cut(_pool(profile, data), profile.test_share, profile_seed("test-split", seed), "dataset.test_share")
    if profile.form != "parquet":
        raise UsageError(
            f"data set '{profile.name}' is one pool of samples: say in dataset.test_share which share of it is the "
            "test split, such as 0.2"
        )
    train, test = (examples_of(profile.task, read_table(profile, split, data)) for split in ("train", "test"))
    return train, test


def _pool(profile: DatasetProfile, data: Path | None) -> Sequence[Example]:
    """All samples of a data set that has no splits of its own."""
    if profile.form == "parquet" or profile.folder is None:
        return examples_of(profile.task, read_table(profile, "train", data))
    read = read_ploner if profile.form == "ploner" else read_mrqa
    return read(file_in(data, profile.folder))
