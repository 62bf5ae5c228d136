"""Data sets are read from a folder or refused in one sentence that names what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest

from harness.errors import UsageError
from harness.learning.data.sources import load_dataset
from harness.profiles import DatasetProfile

PETS = DatasetProfile(name="pets", parquet="pets")
SHARED = Path(__file__).parents[1].parent / "shared" / "data"


def write(folder: Path, split: str, **columns: list[object]) -> None:
    parquet.write_table(pyarrow.table(columns), folder / f"pets_{split}.parquet")


def refusal(profile: DatasetProfile, data: Path | None) -> str:
    with pytest.raises(UsageError) as caught:
        load_dataset(profile, data)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_parquet_rows_become_texts_and_sorted_label_indices(tmp_path: Path) -> None:
    write(tmp_path, "train", text=["purr", "woof", ""], label=["cat", "dog", "cat"])
    write(tmp_path, "test", text=["bark", None], label=["dog", "cat"])
    splits = load_dataset(PETS, tmp_path)
    assert splits.label_names == ("cat", "dog")
    assert (splits.train.texts, splits.train.labels) == (["purr", "woof", ""], [0, 1, 0])
    assert (splits.test.texts, splits.test.labels) == (["bark", ""], [1, 0])


def test_a_profile_may_name_other_columns(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write(tmp_path, split, body=["purr"], kind=[7])
    splits = load_dataset(
        DatasetProfile(name="pets", parquet="pets", text_column="body", label_column="kind"), tmp_path
    )
    assert splits.label_names == ("7",)
    assert splits.train.texts == ["purr"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert refusal(PETS, tmp_path / "nowhere").startswith(
        f"data folder {tmp_path / 'nowhere'} does not exist: give DATA="
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert f"data file {tmp_path / 'pets_train.parquet'} does not exist" in refusal(PETS, tmp_path)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    write(tmp_path, "train", text=["purr"], topic=["cat"])
    assert "has no column 'label', only text, topic: name the right one" in refusal(PETS, tmp_path)


def test_a_text_without_a_label_is_named(tmp_path: Path) -> None:
    write(tmp_path, "train", text=["purr", "woof"], label=["cat", None])
    assert refusal(PETS, tmp_path) == (
        f"{tmp_path / 'pets_train.parquet'} has no label in column 'label' of row 2: give each text one"
    )


def test_an_empty_split_is_named(tmp_path: Path) -> None:
    write(tmp_path, "train", text=["purr"], label=["cat"])
    write(tmp_path, "test", text=[], label=[])
    assert refusal(PETS, tmp_path) == "the test split of data set 'pets' is empty: it needs at least one text"


def test_a_test_label_that_training_never_shows_is_named(tmp_path: Path) -> None:
    write(tmp_path, "train", text=["purr"], label=["cat"])
    write(tmp_path, "test", text=["moo"], label=["cow"])
    assert refusal(PETS, tmp_path).startswith(
        "label 'cow' of the test split of data set 'pets' is not in its train split"
    )


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "pets_train.parquet").write_bytes(b"not a table")
    assert "pets_train.parquet is not a readable parquet file" in refusal(PETS, tmp_path)


def test_without_a_folder_and_a_hub_one_is_told_to_give_a_folder() -> None:
    assert "give DATA=folder" in refusal(PETS, None)


OFFLINE = """
from harness.errors import UsageError
from harness.learning.data.sources import load_dataset
from harness.profiles import DatasetProfile
try:
    load_dataset(DatasetProfile(name="pets", parquet="pets", hub="nobody/no-such-data-set"), None)
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


def test_the_real_20_newsgroups() -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not there")
    splits = load_dataset(DatasetProfile(name="20newsgroups", parquet="20newsgroups"), SHARED)
    assert (len(splits.train.texts), len(splits.test.texts), len(splits.label_names)) == (11_314, 7_532, 20)
