"""Shards are checked against the model that is to read them, and padded into batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from encoders import write_texts
from safetensors.numpy import save_file

from harness.errors import BlobError, TrainerError
from harness.learning.data.encode import UNLABELLED, Encoded, flat, write_shard
from harness.learning.shards import collate, read_rows
from harness.profiles import TaskName

ROWS = [[5, 6], [7, 8, 9, 10], [11, 12, 13]]


def written(path: Path, **parts: list[object]) -> Path:
    input_ids, offsets = flat(ROWS)
    dtypes = {"labels": np.int64, "samples": np.int64, "types": np.uint8}
    write_shard(
        Encoded(input_ids, offsets, **{k: np.array(v, dtype=dtypes.get(k, np.int32)) for k, v in parts.items()}), path
    )
    return path


def test_a_batch_is_padded_to_its_longest_text(tmp_path: Path) -> None:
    shard = read_rows(written(tmp_path / "s", labels=[0, 1, 2]), "text-classification", labels=3, vocabulary=14)
    batch = collate(shard, [2, 0], pad_id=1)
    assert batch.input_ids.tolist() == [[11, 12, 13], [5, 6, 1]]
    assert batch.attention_mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch.targets.tolist() == [2, 0]
    assert batch.token_types is None


def test_a_fixed_length_pads_all_of_them(tmp_path: Path) -> None:
    shard = read_rows(written(tmp_path / "s", labels=[0, 1, 2]), "text-classification", labels=3, vocabulary=14)
    batch = collate(shard, [0], pad_id=1, length=6)
    assert batch.input_ids.tolist() == [[5, 6, 1, 1, 1, 1]]
    assert batch.attention_mask.tolist() == [[1, 1, 0, 0, 0, 0]]


def test_tags_and_token_types_are_padded_with_the_tokens(tmp_path: Path) -> None:
    tags = [UNLABELLED, 1, 2, 0, UNLABELLED, UNLABELLED, 3, 3, UNLABELLED]
    path = written(tmp_path / "s", tags=tags, types=[0, 1, 0, 0, 1, 1, 0, 1, 1])
    batch = collate(read_rows(path, "token-classification", labels=4, vocabulary=14), [0, 2], pad_id=1)
    assert batch.targets.tolist() == [[UNLABELLED, 1, UNLABELLED], [3, 3, UNLABELLED]]
    assert batch.token_types is not None
    assert batch.token_types.tolist() == [[0, 1, 0], [0, 1, 1]]


def test_spans_go_with_their_rows(tmp_path: Path) -> None:
    path = written(tmp_path / "s", spans=[[0, 0], [1, 3], [2, 2]], samples=[0, 0, 1])
    batch = collate(read_rows(path, "question-answering", labels=2, vocabulary=14), [1, 0], pad_id=1)
    assert batch.targets.tolist() == [[1, 3], [0, 0]]


@pytest.mark.parametrize(
    ("task", "parts", "sentence"),
    [
        ("text-classification", {"labels": [0, 1, 3]}, "has label 3, the model knows 0 to 2"),
        ("token-classification", {"tags": [-100, 0, 1, 2, -1, 0, 0, 0, 0]}, "has tag -1, the model knows 0 to 2"),
        ("token-classification", {"labels": [0, 1, 2]}, "has no tags, so it is not for token-classification"),
        ("question-answering", {"labels": [0, 1, 2]}, "has no spans, so it is not for question-answering"),
    ],
)
def test_a_shard_that_the_model_cannot_learn_from_is_refused(
    tmp_path: Path, task: TaskName, parts: dict[str, list[object]], sentence: str
) -> None:
    with pytest.raises(TrainerError, match=sentence):
        read_rows(written(tmp_path / "s", **parts), task, labels=3, vocabulary=14)


@pytest.mark.parametrize(
    "parts",
    [
        {"labels": [0, 1]},
        {"spans": [[0, 0], [0, 4], [0, 0]]},
        {"spans": [[0, 0], [-1, 0], [0, 0]]},
        {"labels": [0, 1, 2], "samples": [0, 1]},
        {"labels": [0, 1, 2], "types": [0, 1]},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(tmp_path: Path, parts: dict[str, list[object]]) -> None:
    task: TaskName = "question-answering" if "spans" in parts else "text-classification"
    with pytest.raises(BlobError, match="do not fit together"):
        read_rows(written(tmp_path / "s", **parts), task, labels=3, vocabulary=14)


@pytest.mark.parametrize("offsets", [[0, 2, 5], [0, 2, 2, 3], [1, 2, 3], [0, 3]])
def test_offsets_that_do_not_fit_are_refused(tmp_path: Path, offsets: list[int]) -> None:
    labels = np.zeros(max(2, len(offsets) - 1), dtype=np.int64)
    tensors = {"input_ids": np.ones(3, dtype=np.int32), "offsets": np.array(offsets), "labels": labels}
    save_file(tensors, tmp_path / "s")
    with pytest.raises(BlobError, match="do not fit together"):
        read_rows(tmp_path / "s", "text-classification", labels=3, vocabulary=14)


def test_other_files_are_no_shards(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"{}")
    save_file({"w": np.ones(2)}, tmp_path / "state")
    for name in ("bytes", "state", "absent"):
        with pytest.raises(BlobError, match="is not a shard"):
            read_rows(tmp_path / name, "text-classification", labels=3, vocabulary=14)


def test_an_empty_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="holds no samples"):
        read_rows(write_texts(tmp_path / "s", [], []), "text-classification", labels=3, vocabulary=14)
