"""Data sets are read from a folder or the hub, or refused in one sentence that names what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest

from harness.errors import UsageError
from harness.learning.data.rows import Table
from harness.learning.data.sources import EMBEDDED, file_in, hub_table, read_table
from harness.profiles import ClassesProfile, DatasetProfile, SplitNames

PETS = DatasetProfile(name="pets", parquet="pets")
QUESTIONS = DatasetProfile(
    name="questions",
    task="question-answering",
    hub="someone/questions",
    hub_columns={"answer_starts": "answers.answer_start", "answer_texts": "answers.text"},
)


def write(folder: Path, split: str, **columns: Sequence[object]) -> None:
    parquet.write_table(pyarrow.table(columns), folder / f"pets_{split}.parquet")


def refusal(profile: DatasetProfile, data: Path | None) -> str:
    with pytest.raises(UsageError) as caught:
        read_table(profile, "train", data)
    message = str(caught.value)
    assert "\n" not in message
    return message


def from_hub(profile: DatasetProfile, columns: dict[str, list[Any]], **features: Any) -> Table:
    """The table of a split that the hub's client would give."""
    import datasets

    kinds = datasets.Features(features) if features else None
    return hub_table(datasets.Dataset.from_dict(columns, features=kinds), profile, "train")


def test_parquet_columns_become_lists_by_role(tmp_path: Path) -> None:
    write(tmp_path, "train", text=["purr", None], label=["cat", "dog"], other=[1, 2])
    table = read_table(PETS, "train", tmp_path)
    assert table.values == {"text": ["purr", None], "label": ["cat", "dog"]}
    assert table.where == str(tmp_path / "pets_train.parquet")


def test_a_profile_may_name_other_columns_and_splits(tmp_path: Path) -> None:
    write(tmp_path, "fold-1", body=["purr"], kind=[7])
    profile = DatasetProfile(
        name="pets", parquet="pets", columns={"text": "body", "label": "kind"}, splits=SplitNames(train="fold-1")
    )
    table = read_table(profile, "train", tmp_path)
    assert table.values == {"text": ["purr"], "label": [7]}
    assert table.names == {"text": "body", "label": "kind"}


def test_a_second_text_is_read_where_it_is_named(tmp_path: Path) -> None:
    write(tmp_path, "train", text=["purr"], pair=["unasked"], hypothesis=["meow"], label=["cat"])
    assert "pair" not in read_table(PETS, "train", tmp_path).values
    profile = DatasetProfile(name="pets", parquet="pets", columns={"pair": "hypothesis"})
    assert read_table(profile, "train", tmp_path).values["pair"] == ["meow"]


def test_classes_by_source_need_its_column(tmp_path: Path) -> None:
    write(tmp_path, "train", text=["purr"], label=["cat"])
    profile = DatasetProfile(name="pets", parquet="pets", classes=ClassesProfile(kind="source"))
    assert "has no column 'source', only text, label: name the right one in dataset.columns.source" in refusal(
        profile, tmp_path
    )


def test_a_field_of_a_column_is_read_from_parquet_too(tmp_path: Path) -> None:
    write(tmp_path, "train", facts=[{"text": "purr", "label": "cat"}, None])
    profile = DatasetProfile(name="pets", parquet="pets", columns={"text": "facts.text", "label": "facts.label"})
    assert read_table(profile, "train", tmp_path).values == {"text": ["purr", None], "label": ["cat", None]}


def test_a_column_whose_name_has_a_dot_is_itself(tmp_path: Path) -> None:
    write(tmp_path, "train", **{"facts.text": ["purr"], "label": ["cat"]})
    profile = DatasetProfile(name="pets", parquet="pets", columns={"text": "facts.text"})
    assert read_table(profile, "train", tmp_path).values["text"] == ["purr"]


def test_what_the_package_brings_along_comes_first(tmp_path: Path) -> None:
    table = read_table(DatasetProfile(name="t", embedded="topics", parquet="pets", hub="a/b"), "test", tmp_path)
    assert table.where == str(EMBEDDED / "topics_test.parquet")
    assert len(table.values["text"]) == 1200


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert refusal(PETS, tmp_path / "nowhere").startswith(
        f"data folder {tmp_path / 'nowhere'} does not exist: give DATA="
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert f"data file {tmp_path / 'pets_train.parquet'} does not exist" in refusal(PETS, tmp_path)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    write(tmp_path, "train", text=["purr"], topic=["cat"])
    assert refusal(PETS, tmp_path) == (
        f"{tmp_path / 'pets_train.parquet'} has no column 'label', only text, topic: "
        "name the right one in dataset.columns.label"
    )


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "pets_train.parquet").write_bytes(b"not a table")
    assert "pets_train.parquet is not a readable parquet file" in refusal(PETS, tmp_path)


def test_a_file_whose_middle_is_damaged_is_named(tmp_path: Path) -> None:
    write(tmp_path, "train", text=[f"purr {i}" for i in range(500)], label=["cat"] * 500)
    path = tmp_path / "pets_train.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + b"\xff" * 400 + whole[404:])
    assert "pets_train.parquet is not a readable parquet file" in refusal(PETS, tmp_path)


def test_without_a_folder_and_a_hub_one_is_told_to_give_a_folder(tmp_path: Path) -> None:
    assert "give DATA=folder" in refusal(PETS, None)
    with pytest.raises(UsageError, match=r"give DATA=folder \(--data\) that holds mrqa"):
        file_in(None, "mrqa")


def test_the_hub_s_class_numbers_become_names() -> None:
    import datasets

    profile = DatasetProfile(name="pets", hub="someone/pets", hub_columns={"label": "kind"})
    kinds = datasets.ClassLabel(names=["cat", "dog"])
    table = from_hub(
        profile, {"text": ["woof", "purr", "?"], "kind": [1, 0, -1]}, text=datasets.Value("string"), kind=kinds
    )
    assert table.values == {"text": ["woof", "purr", "?"], "label": ["dog", "cat", None]}
    assert table.where == "data set 'someone/pets' (train)"


def test_the_hub_s_class_numbers_in_lists_become_names() -> None:
    import datasets

    profile = DatasetProfile(name="ner", task="token-classification", hub="a/b", hub_columns={"tags": "ner_tags"})
    tags = datasets.Sequence(datasets.ClassLabel(names=["O", "B-person", "I-person"]))
    table = from_hub(
        profile,
        {"id": ["0", "1"], "tokens": [["Ada", "Lovelace", "wrote"], []], "ner_tags": [[1, 2, 0], []]},
        id=datasets.Value("string"),
        tokens=datasets.Sequence(datasets.Value("string")),
        ner_tags=tags,
    )
    assert table.values["tags"] == [["B-person", "I-person", "O"], []]


def test_the_hub_s_answers_are_fields_of_one_column() -> None:
    import datasets

    answers = datasets.Sequence({"text": datasets.Value("string"), "answer_start": datasets.Value("int32")})
    table = from_hub(
        QUESTIONS,
        {
            "id": ["q"],
            "title": ["t"],
            "context": ["Ada wrote."],
            "question": ["Who?"],
            "answers": [{"text": ["Ada"], "answer_start": [0]}],
        },
        id=datasets.Value("string"),
        title=datasets.Value("string"),
        context=datasets.Value("string"),
        question=datasets.Value("string"),
        answers=answers,
    )
    assert table.values["answer_texts"] == [["Ada"]]
    assert table.values["answer_starts"] == [[0]]


def test_rows_that_the_client_selected_are_those_read() -> None:
    import datasets

    split = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": ["x", "y", "z"]}).select([2, 0])
    assert hub_table(split, DatasetProfile(name="p", hub="a/b"), "train").values["label"] == ["z", "x"]


def test_a_missing_column_of_the_hub_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        from_hub(DatasetProfile(name="pets", hub="a/pets", hub_columns={"label": "kind"}), {"text": ["purr"]})
    assert str(caught.value) == (
        "data set 'a/pets' (train) has no column 'kind', only text: name the right one in dataset.hub_columns.label"
    )


@pytest.mark.parametrize(
    ("answers", "there"), [({"texts": ["Ada"], "answer_start": [0]}, "only "), (["Ada"], "and no other either")]
)
def test_a_missing_field_of_a_column_is_named(answers: object, there: str) -> None:
    row: dict[str, list[Any]] = {"id": ["q"], "context": ["Ada wrote."], "question": ["Who?"], "answers": [answers]}
    with pytest.raises(UsageError, match=rf"has no field '\w+' in column 'answers', {there}.*: .*hub_columns\.answer"):
        from_hub(QUESTIONS, row)


OFFLINE = """
from harness.errors import UsageError
from harness.learning.data.sources import read_table
from harness.profiles import DatasetProfile
try:
    read_table(DatasetProfile(name="pets", parquet="pets", hub="nobody/no-such-data-set"), "train", None)
except UsageError as error:
    print(error)
"""


def test_a_hub_that_cannot_be_reached_ends_in_one_sentence(tmp_path: Path) -> None:
    # In a process of its own: the hub's client reads once, at import, whether it may use the network.
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", OFFLINE], env=environment, capture_output=True, text=True, check=True)
    message = ended.stdout.strip()
    assert "\n" not in message
    assert "data set 'nobody/no-such-data-set' could not be read from the Hugging Face hub" in message
    assert "give DATA=folder (--data) that holds pets_train.parquet" in message
