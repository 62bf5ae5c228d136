"""Samples are flat token ids with offsets; shards are files whose bytes depend on their contents alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.learning.data.encode import joined, read_shard, write_shard


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
