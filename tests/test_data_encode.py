"""Texts become token ids, shards become files whose bytes depend on their contents alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.errors import UsageError
from harness.learning.data.encode import joined, read_shard, write_shard
from harness.learning.data.sources import EMBEDDED, Split
from harness.learning.tasks.text_classification import encode

ENCODER = EMBEDDED / "encoder"


def test_a_shard_comes_back_as_it_was_written(tmp_path: Path) -> None:
    encoded = joined([[1, 2, 3], [], [4]], [7, 8, 9])
    write_shard(encoded, tmp_path / "shard")
    back = read_shard(tmp_path / "shard")
    assert back.input_ids.tolist() == [1, 2, 3, 4]
    assert back.offsets.tolist() == [0, 3, 3, 4]
    assert back.labels.tolist() == [7, 8, 9]
    assert (back.input_ids.dtype, back.offsets.dtype, back.labels.dtype) == (np.int32, np.int64, np.int64)
    assert [path.name for path in tmp_path.iterdir()] == ["shard"]


def test_equal_shards_have_equal_bytes(tmp_path: Path) -> None:
    encoded = joined([[1, 2], [3], [4, 5, 6]], [0, 1, 2])
    write_shard(encoded.pick([2, 0]), tmp_path / "picked")
    write_shard(joined([[4, 5, 6], [1, 2]], [2, 0]), tmp_path / "made")
    assert (tmp_path / "picked").read_bytes() == (tmp_path / "made").read_bytes()


def test_no_samples_are_a_shard_too(tmp_path: Path) -> None:
    write_shard(joined([[1]], [0]).pick([]), tmp_path / "empty")
    assert read_shard(tmp_path / "empty").offsets.tolist() == [0]


def test_texts_are_framed_cut_and_an_empty_one_is_special_tokens_alone(tmp_path: Path) -> None:
    encoded = encode(Split(["ba be bi bo bu", "ba", "", "ba nonsense"], [0, 1, 0, 1]), ENCODER, 5, tmp_path)
    begin, end, unknown = 0, 2, 3
    ba = encoded.sample(1)[1]
    assert encoded.sample(0).tolist()[0] == begin
    assert encoded.sample(0).tolist()[-1] == end
    assert len(encoded.sample(0)) == 5
    assert encoded.sample(1).tolist() == [begin, ba, end]
    assert encoded.sample(2).tolist() == [begin, end]
    assert encoded.sample(3).tolist() == [begin, ba, unknown, end]


def test_what_was_encoded_once_is_read_from_the_cache(tmp_path: Path) -> None:
    split = Split(["ba be"], [0])
    first = encode(split, ENCODER, 16, tmp_path)
    (kept,) = tmp_path.iterdir()
    write_shard(joined([[9, 9]], [0]), kept)
    assert encode(split, ENCODER, 16, tmp_path).input_ids.tolist() == [9, 9]
    assert encode(split, ENCODER, 8, tmp_path).input_ids.tolist() == first.input_ids.tolist()


def test_a_length_beyond_the_models_positions_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"train\.max_length is 900, but the model in .* reads at most 64 tokens"):
        encode(Split(["ba"], [0]), ENCODER, 900, tmp_path)


def test_a_folder_without_a_tokenizer_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((ENCODER / "config.json").read_text())
    with pytest.raises(UsageError, match="has no tokenizer that can be read"):
        encode(Split(["ba"], [0]), tmp_path, 16, tmp_path / "cache")
