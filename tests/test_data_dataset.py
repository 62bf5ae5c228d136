"""A data set as a run learns from it: whole, cut by seed, with a class for each training sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest

from harness.errors import UsageError
from harness.learning.data.dataset import load_dataset
from harness.learning.data.examples import Dataset, QuestionExample, SentenceExample, TextExample
from harness.learning.data.ploner import SOURCES
from harness.learning.seeding import profile_seed
from harness.library import load_experiment

SHARED = Path(__file__).parents[1].parent / "shared"
RELATIONS = (
    "Cause-Effect",
    "Component-Whole",
    "Content-Container",
    "Entity-Destination",
    "Entity-Origin",
    "Instrument-Agency",
    "Member-Collection",
    "Message-Topic",
    "Product-Producer",
)
LABELS = [f"{relation}({order})" for relation in RELATIONS for order in ("e1,e2", "e2,e1")] + ["Other"]


def write(path: Path, **columns: list[Any]) -> None:
    parquet.write_table(pyarrow.table(columns), path)


def loaded(profile: str, data: Path | None, workdir: Path, *overrides: str) -> Dataset:
    dataset, warnings = load_dataset(load_experiment(profile, overrides), data, None, workdir, lambda line: None)
    assert warnings == ()
    return dataset


@pytest.fixture
def ploner(tmp_path: Path) -> Path:
    """A data folder with ten sentences of each source of PLONER."""
    folder = tmp_path / "ploner"
    folder.mkdir()
    for source in SOURCES:
        lines = [f"word{place} B-{('PER', 'LOC')[place % 2]}\n\n" for place in range(10)]
        (folder / f"{source}.conll").write_text("".join(lines), encoding="utf-8")
    return tmp_path


NER = (
    "dataset={name: ploner, task: token-classification, form: ploner, folder: ploner}",
    "dataset.classes={kind: source-type-set}",
    "target.metric=f1",
)


def test_the_embedded_topics(tmp_path: Path) -> None:
    dataset = loaded("quickstart", None, tmp_path)
    assert (len(dataset.train), len(dataset.evaluated), len(dataset.label_names)) == (4000, 1200, 12)
    first = dataset.train[0]
    assert isinstance(first, TextExample)
    assert dataset.class_names[dataset.classes[0]] == first.label


def test_the_19_labels_of_semeval_and_its_marks(tmp_path: Path) -> None:
    texts = [f"The <e1>cause{place}</e1> of the <e2>effect</e2>." for place in range(190)]
    write(tmp_path / "semeval2010_task8_train.parquet", text=texts, label=LABELS * 10)
    write(tmp_path / "semeval2010_task8_test.parquet", text=texts[:19], label=LABELS)
    dataset = loaded("semeval-roberta", tmp_path, tmp_path)
    assert dataset.label_names == dataset.class_names == tuple(sorted(LABELS))
    assert len(dataset.label_names) == 19
    assert np.bincount(dataset.classes).tolist() == [10] * 19
    assert dataset.train[3] == TextExample("The <e1>cause3</e1> of the <e2>effect</e2>.", LABELS[3])


def test_mnli_is_pairs(tmp_path: Path) -> None:
    for split in ("train", "validation_matched"):
        path = tmp_path / f"mnli_{split}.parquet"
        write(path, premise=["It rains."] * 3, hypothesis=["Wet."] * 3, label=["a", "b", "c"], idx=[1, 2, 3])
    dataset = loaded("mnli-roberta", tmp_path, tmp_path)
    assert dataset.train[0] == TextExample("It rains.", "a", "Wet.")
    assert dataset.evaluated == dataset.train


def test_wnut2017_has_37_classes_and_13_tags(tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared is not there")
    dataset = loaded("wnut-roberta", SHARED / "data", tmp_path)
    assert (len(dataset.train), len(dataset.evaluated)) == (3_394, 1_287)
    assert (len(dataset.class_names), len(set(dataset.classes)), len(dataset.label_names)) == (37, 31, 13)
    validated = loaded("wnut-roberta", SHARED / "data", tmp_path, "evaluate.split=validation")
    assert (len(validated.train), len(validated.evaluated)) == (3_055, 339)
    assert validated.class_names == dataset.class_names
    assert validated.label_names == dataset.label_names


def test_a_validation_split_is_cut_from_train_and_never_from_test(tmp_path: Path) -> None:
    train = [TextExample(f"train {place}", "ab"[place % 2]) for place in range(40)]
    for split, count in (("train", 40), ("test", 6)):
        texts = [f"{split} {place}" for place in range(count)]
        write(tmp_path / f"pets_{split}.parquet", text=texts, label=["a", "b"] * (count // 2))
    pets = "dataset={name: pets, parquet: pets}"
    validation = (pets, "evaluate={split: validation, validation_share: 0.25}")
    dataset = loaded("quickstart", tmp_path, tmp_path, *validation)
    assert (len(dataset.train), len(dataset.evaluated), len(dataset.classes)) == (30, 10, 30)
    assert {sample.text for sample in [*dataset.train, *dataset.evaluated] if isinstance(sample, TextExample)} == {
        sample.text for sample in train
    }
    assert loaded("quickstart", tmp_path, tmp_path, *validation, "seeds.split=0").evaluated == dataset.evaluated
    assert loaded("quickstart", tmp_path, tmp_path, *validation, "seeds.split=1").evaluated != dataset.evaluated
    with pytest.raises(UsageError, match=r"^evaluate\.validation_share is 0\.01, which cuts 0 of 40 samples off"):
        loaded("quickstart", tmp_path, tmp_path, pets, "evaluate={split: validation, validation_share: 0.01}")


def test_the_evaluated_sample_is_drawn_by_its_own_seed(tmp_path: Path) -> None:
    whole = loaded("quickstart", None, tmp_path)
    chance = np.random.default_rng(profile_seed("evaluation", 3))
    places = sorted(chance.choice(1200, size=60, replace=False).tolist())
    sampled = loaded("quickstart", None, tmp_path, "evaluate.sample=60", "seeds.evaluation=3")
    assert sampled.evaluated == [whole.evaluated[place] for place in places]
    assert sampled.classes == whole.classes


def test_more_samples_than_there_are_is_a_warning(tmp_path: Path) -> None:
    experiment = load_experiment("quickstart", ["evaluate.sample=5000"])
    dataset, warnings = load_dataset(experiment, None, None, tmp_path, lambda line: None)
    assert len(dataset.evaluated) == 1200
    assert warnings == ("evaluate.sample is 5000, but the test split has 1200 samples: all of them are used",)


def test_labels_are_checked_on_the_whole_test_split(tmp_path: Path) -> None:
    write(tmp_path / "pets_train.parquet", text=["purr"] * 12, label=["cat"] * 12)
    write(tmp_path / "pets_test.parquet", text=["purr"] * 300, label=["cat"] * 299 + ["cow"])
    with pytest.raises(UsageError, match="row 300 of the test split of data set 'pets' has label \"cow\""):
        loaded("quickstart", tmp_path, tmp_path, "dataset={name: pets, parquet: pets}", "evaluate.sample=1")


def test_a_pool_is_cut_by_share_and_seed(ploner: Path) -> None:
    dataset = loaded("wnut-roberta", ploner, ploner, *NER, "dataset.test_share=0.2")
    assert (len(dataset.train), len(dataset.evaluated)) == (56, 14)
    assert len(dataset.class_names) == 14
    assert dataset.label_names == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    first = dataset.train[0]
    assert isinstance(first, SentenceExample)
    assert dataset.class_names[dataset.classes[0]] == f"{first.source}: {first.tags[0][2:]}"
    other = loaded("wnut-roberta", ploner, ploner, *NER, "dataset.test_share=0.2", "seeds.split=1")
    assert other.evaluated != dataset.evaluated


def test_a_parquet_file_may_be_a_pool_too(tmp_path: Path) -> None:
    write(tmp_path / "pets_train.parquet", text=[f"purr {place}" for place in range(50)], label=["cat", "dog"] * 25)
    dataset = loaded("quickstart", tmp_path, tmp_path, "dataset={name: pets, parquet: pets, test_share: 0.3}")
    assert (len(dataset.train), len(dataset.evaluated)) == (35, 15)


def test_a_pool_without_a_share_says_what_to_give(ploner: Path) -> None:
    with pytest.raises(UsageError, match=r"data set 'ploner' is one pool .* dataset\.test_share"):
        loaded("wnut-roberta", ploner, ploner, *NER)


def test_a_pool_without_a_data_folder_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"give DATA=folder \(--data\) that holds ploner"):
        loaded("wnut-roberta", None, tmp_path, *NER, "dataset.test_share=0.2")


def test_questions_are_clustered_by_seed_and_name_their_clusters(tmp_path: Path) -> None:
    topics = ("river", "planet", "painter", "battle")
    for split, count in (("train", 40), ("dev", 4)):
        asked = [f"Which {topics[place % 4]} number {place}?" for place in range(count)]
        write(
            tmp_path / f"squad_v1.1_{split}.parquet",
            id=[str(place) for place in range(count)],
            context=["It was Ada."] * count,
            question=asked,
            answer_starts=[[7]] * count,
            answer_texts=[["Ada"]] * count,
        )
    few = ("dataset.classes.clusters=4", "dataset.classes.embedding=null", "partition.clients=15")
    dataset = loaded("squad-roberta", tmp_path, tmp_path, *few)
    assert dataset.class_names == ("cluster 1", "cluster 2", "cluster 3", "cluster 4")
    assert len(dataset.classes) == 40
    assert set(dataset.classes) == {0, 1, 2, 3}
    assert dataset.label_names == ()
    assert dataset.train[0] == QuestionExample("0", "It was Ada.", "Which river number 0?", ("Ada",), ((7, 10),))


def test_mrqa_s_six_sources_are_its_classes(tmp_path: Path) -> None:
    folder = tmp_path / "mrqa"
    folder.mkdir()
    answers = [{"text": "Ada", "char_spans": [[7, 9]]}]
    for source in ("HotpotQA", "NewsQA", "SearchQA", "NaturalQuestionsShort", "SQuAD", "TriviaQA"):
        asked = [
            {"qid": f"{source}{place}", "question": "Who?", "answers": ["Ada"], "detected_answers": answers}
            for place in range(10)
        ]
        passage = {"context": "It was Ada.", "qas": asked}
        text = "\n".join(map(json.dumps, ({"header": {"dataset": source}}, passage)))
        (folder / f"{source}.jsonl").write_text(text, encoding="utf-8")
    mrqa = "dataset={name: mrqa, task: question-answering, form: mrqa, folder: mrqa, test_share: 0.2}"
    dataset = loaded(
        "squad-roberta", tmp_path, tmp_path, mrqa, "dataset.classes={kind: source}", "partition.clients=20"
    )
    assert (len(dataset.train), len(dataset.evaluated), len(dataset.class_names)) == (48, 12, 6)
    assert [sample.source for sample in dataset.train] == [dataset.class_names[held] for held in dataset.classes]


def test_the_shared_questions_are_read_whole(tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared is not there")
    # By source, all one: the clusters of eleven thousand questions are not what is looked at here.
    overrides = (
        "dataset.splits.train=train_subset",
        "dataset.classes={kind: source}",
        "dataset.columns={source: title}",
    )
    dataset = loaded("squad-roberta", SHARED / "data", tmp_path, *overrides)
    assert (len(dataset.train), len(dataset.evaluated)) == (11_877, 10_570)
    assert sum(len(sample.answers) for sample in dataset.evaluated if isinstance(sample, QuestionExample)) == 34_726
