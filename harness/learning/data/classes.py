"""Classes of the task's head, and classes of samples for the partition; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import UsageError
from harness.explanation import shown, suggestion
from harness.learning.data.examples import Example, QuestionExample, SentenceExample, TextExample
from harness.profiles import ClassRule, DatasetProfile

OUTSIDE = "O"
"""The tag of a word that is in no entity; also the set of entity types of a sentence without one."""


def label_names(profile: DatasetProfile, train: Iterable[Example]) -> tuple[str, ...]:
    """Classes of the head, in the order of its outputs: the profile's, else those of the training samples.

    Of texts they are the labels, sorted; of sentences the tags: O, then B and I of each entity type, sorted by type;
    questions have none.
    """
    if profile.labels is not None or profile.task == "question-answering":
        return profile.labels or ()
    samples = list(train)
    labels = sorted({sample.label for sample in samples if isinstance(sample, TextExample)})
    types = sorted({kind for sample in samples if isinstance(sample, SentenceExample) for kind in entity_types(sample)})
    tags = [f"{head}-{kind}" for kind in types for head in ("B", "I")]
    return tuple(labels) if profile.task == "text-classification" else (OUTSIDE, *tags)


def check_labels(profile: DatasetProfile, names: Sequence[str], split: str, samples: Iterable[Example]) -> None:
    """Check that each label of a split is one of ``names``.

    Raises:
        UsageError: one is not; with its split and row.
    """
    known = set(names)
    for row, sample in enumerate(samples, start=1):
        wrong = [label for label in _labels(sample) if label not in known]
        if wrong:
            raise UsageError(
                f"row {row} of the {split} split of data set '{profile.name}' has label {shown(wrong[0])}, "
                f"which is not in {_known_from(profile, wrong[0], names)}"
            )


def class_name(rule: ClassRule, sample: Example) -> str:
    """The class of a sample for the partition, by any rule but k-means, which needs all samples at once."""
    if rule == "label" and isinstance(sample, TextExample):
        return sample.label
    if rule == "type-set" and isinstance(sample, SentenceExample):
        return type_set(sample)
    if rule == "source-type-set" and isinstance(sample, SentenceExample):
        return f"{sample.source}: {type_set(sample)}"
    if rule == "source":
        return sample.source
    raise AssertionError(f"profiles allow no rule '{rule}' for {type(sample).__name__}")


def classes_by_name(
    rule: ClassRule, train: Iterable[Example], test: Iterable[Example]
) -> tuple[list[int], tuple[str, ...]]:
    """The class of each training sample, and the sorted names: of training and test samples together.

    FeDeRA counts 37 classes of WNUT2017 so, where the training samples alone have 31.
    """
    held = [class_name(rule, sample) for sample in train]
    names = tuple(sorted({*held, *(class_name(rule, sample) for sample in test)}))
    index = {name: place for place, name in enumerate(names)}
    return [index[name] for name in held], names


def type_set(sample: SentenceExample) -> str:
    """The set of entity types in a sentence, sorted and joined by +; O where there is none."""
    return "+".join(sorted(entity_types(sample))) or OUTSIDE


def entity_types(sample: SentenceExample) -> set[str]:
    """The entity types in a sentence."""
    return {tag[2:] for tag in sample.tags if tag != OUTSIDE}


def _labels(sample: Example) -> tuple[str, ...]:
    """The labels of a sample: one of a text, one for each word of a sentence, none of a question."""
    if isinstance(sample, TextExample):
        return (sample.label,)
    return () if isinstance(sample, QuestionExample) else sample.tags


def _known_from(profile: DatasetProfile, wrong: str, names: Sequence[str]) -> str:
    """Where the labels that are known come from, and what to do."""
    if profile.labels is not None:
        return f"dataset.labels; {suggestion(wrong, list(names))}mend the row, or name the label there"
    return "its train split: take both splits from the same version, or name all labels in dataset.labels"
