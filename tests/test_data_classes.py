"""Classes of the head and of the partition follow from the samples alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.learning.data.classes import check_labels, class_name, classes_by_name, label_names, type_set
from harness.learning.data.examples import Example, QuestionExample, SentenceExample, TextExample
from harness.learning.data.rows import examples_of
from harness.learning.data.sources import read_table
from harness.library import load_experiment
from harness.profiles import DatasetProfile

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
TEXTS = DatasetProfile(name="pets")
WORDS = DatasetProfile(name="names", task="token-classification")
QUESTION = QuestionExample("q", "Ada wrote.", "Who?", ("Ada",), ((0, 3),), "Search")


def sentence(*tags: str, source: str = "") -> SentenceExample:
    return SentenceExample(("w",) * len(tags), tags, source)


def texts(*labels: str) -> list[Example]:
    return [TextExample("text", label) for label in labels]


def shared(profile: str) -> tuple[list[Example], list[Example]]:
    """The real splits of an experiment's data set."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not there")
    dataset = load_experiment(profile).dataset
    train, test = (examples_of(dataset.task, read_table(dataset, split, SHARED)) for split in ("train", "test"))
    return train, test


def test_labels_of_texts_are_sorted() -> None:
    assert label_names(TEXTS, texts("dog", "cat", "dog")) == ("cat", "dog")


def test_tags_are_o_then_begin_and_inside_of_each_sorted_type() -> None:
    seen = [sentence("O"), sentence("B-person", "O"), sentence("B-group", "I-group")]
    assert label_names(WORDS, seen) == ("O", "B-group", "I-group", "B-person", "I-person")


def test_questions_have_no_labels() -> None:
    assert label_names(DatasetProfile(name="q", task="question-answering"), [QUESTION]) == ()


def test_the_profile_s_labels_and_their_order_have_the_last_word() -> None:
    profile = DatasetProfile(name="pets", labels=("dog", "cat", "cow"))
    assert label_names(profile, texts("cat")) == ("dog", "cat", "cow")


def test_a_test_label_that_training_never_shows_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        check_labels(TEXTS, ("cat",), "test", texts("cat", "cow"))
    assert str(caught.value) == (
        "row 2 of the test split of data set 'pets' has label \"cow\", which is not in its train split: "
        "take both splits from the same version, or name all labels in dataset.labels"
    )


def test_a_label_that_the_profile_does_not_name_is_named_with_what_is_near() -> None:
    profile = DatasetProfile(name="pets", labels=("cats", "dogs"))
    with pytest.raises(UsageError, match=r"row 1 of the train split .* \"cat\", which is not in .*did you mean 'cats'"):
        check_labels(profile, ("cats", "dogs"), "train", texts("cat"))


def test_a_tag_outside_the_set_is_named() -> None:
    with pytest.raises(UsageError, match="row 2 of the test split of data set 'names' has label \"B-place\""):
        check_labels(WORDS, ("O", "B-person", "I-person"), "test", [sentence("B-person"), sentence("O", "B-place")])


def test_labels_that_are_all_known_and_questions_pass() -> None:
    check_labels(TEXTS, ("cat",), "test", [*texts("cat"), QUESTION])


def test_the_type_set_of_a_sentence_knows_neither_order_nor_number() -> None:
    assert type_set(sentence("B-person", "O", "B-group", "I-group", "B-person")) == "group+person"
    assert type_set(sentence("O", "O")) == "O"


@pytest.mark.parametrize(
    ("rule", "sample", "name"),
    [
        ("label", TextExample("t", "cat"), "cat"),
        ("source", TextExample("t", "cat", source="web"), "web"),
        ("type-set", sentence("B-person", "B-group"), "group+person"),
        ("source-type-set", sentence("B-person", source="wnut2016"), "wnut2016: person"),
        ("source", QUESTION, "Search"),
    ],
)
def test_the_class_of_a_sample_by_rule(rule: str, sample: Example, name: str) -> None:
    assert class_name(rule, sample) == name  # type: ignore[arg-type]


def test_names_are_those_of_training_and_test_samples_together() -> None:
    classes, names = classes_by_name("label", texts("dog", "cat", "dog"), texts("ant"))
    assert names == ("ant", "cat", "dog")
    assert classes == [2, 1, 2]


def test_wnut2017_has_37_classes_over_both_splits_and_31_in_training() -> None:
    train, test = shared("wnut-roberta")
    classes, names = classes_by_name("type-set", train, test)
    assert (len(train), len(test), len(names), len(set(classes))) == (3_394, 1_287, 37, 31)
    assert len(label_names(WORDS, train)) == 13
    check_labels(WORDS, label_names(WORDS, train), "test", test)


def test_20_newsgroups_has_20_classes() -> None:
    train, test = shared("20news-roberta")
    classes, names = classes_by_name("label", train, test)
    assert (len(train), len(test), len(names), len(set(classes))) == (11_314, 7_532, 20, 20)
    assert label_names(TEXTS, train) == names
