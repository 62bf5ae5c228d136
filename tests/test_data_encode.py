"""Samples are flat token ids with offsets; shards are files whose bytes depend on their contents alone."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learning.data.encode import UNLABELLED, Encoded, flat, flat_types, read_shard, write_shard


def labelled(rows: list[list[int]], labels: list[int]) -> Encoded:
    input_ids, offsets = flat(rows)
    return Encoded(input_ids, offsets, labels=np.array(labels, dtype=np.int64))


def windowed() -> Encoded:
    """Three samples of two, one and three rows; the token ids of a row tell its number."""
    input_ids, offsets = flat([[10], [11, 11], [20, 20, 20], [30], [31], [32, 32]])
    return Encoded(
        input_ids,
        offsets,
        tags=np.where(input_ids % 10 == 0, 5, UNLABELLED).astype(np.int32),
        spans=np.array([[row, row + 1] for row in range(6)], dtype=np.int32),
        samples=np.array([0, 0, 1, 2, 2, 2]),
        types=(input_ids % 2).astype(np.uint8),
        places=np.stack([input_ids, input_ids], axis=1),
    )


def rows(encoded: Encoded) -> list[list[int]]:
    return [encoded.input_ids[encoded.row(row)].tolist() for row in range(len(encoded))]


def assert_equal(one: Encoded, other: Encoded) -> None:
    """Equal values and types of all fields."""
    for field in fields(Encoded):
        left, right = getattr(one, field.name), getattr(other, field.name)
        assert (left is None) == (right is None), field.name
        if left is not None:
            assert left.dtype == right.dtype, field.name
            np.testing.assert_array_equal(left, right)


def test_rows_come_one_after_the_other() -> None:
    input_ids, offsets = flat([[1, 2, 3], [], [4]])
    assert (input_ids.tolist(), offsets.tolist()) == ([1, 2, 3, 4], [0, 3, 3, 4])
    assert (input_ids.dtype, offsets.dtype) == (np.int32, np.int64)
    assert flat([])[1].tolist() == [0]


def test_types_are_kept_only_where_one_is_not_zero() -> None:
    assert flat_types([[0, 0], [0]]) is None
    assert flat_types([]) is None
    types = flat_types([[0, 1], [0]])
    assert types is not None
    assert (types.tolist(), types.dtype) == ([0, 1, 0], np.uint8)


def test_without_samples_each_row_is_one() -> None:
    assert labelled([[1], [2, 3]], [0, 1]).owners.tolist() == [0, 1]
    assert windowed().owners.tolist() == [0, 0, 1, 2, 2, 2]


def test_a_shard_comes_back_as_it_was_written(tmp_path: Path) -> None:
    for encoded in (labelled([[1, 2, 3], [], [4]], [7, 8, 9]), windowed()):
        write_shard(encoded, tmp_path / "shard")
        assert_equal(read_shard(tmp_path / "shard"), encoded)
        assert [path.name for path in tmp_path.iterdir()] == ["shard"]


def test_equal_shards_have_equal_bytes(tmp_path: Path) -> None:
    write_shard(labelled([[1, 2], [3], [4, 5, 6]], [0, 1, 2]).pick([2, 0]), tmp_path / "picked")
    write_shard(labelled([[4, 5, 6], [1, 2]], [2, 0]), tmp_path / "made")
    assert (tmp_path / "picked").read_bytes() == (tmp_path / "made").read_bytes()


def test_no_samples_are_a_shard_too(tmp_path: Path) -> None:
    for encoded in (labelled([[1]], [0]), windowed()):
        write_shard(encoded.pick([]), tmp_path / "empty")
        assert read_shard(tmp_path / "empty").offsets.tolist() == [0]


def test_a_picked_sample_brings_all_its_rows_and_is_counted_anew() -> None:
    picked = windowed().pick([2, 0])
    assert rows(picked) == [[30], [31], [32, 32], [10], [11, 11]]
    assert picked.owners.tolist() == [0, 0, 0, 1, 1]
    assert picked.tags is not None
    assert picked.tags.tolist() == [5, UNLABELLED, UNLABELLED, UNLABELLED, 5, UNLABELLED, UNLABELLED]
    assert picked.spans is not None
    assert picked.spans.tolist() == [[3, 4], [4, 5], [5, 6], [0, 1], [1, 2]]
    assert picked.types is not None
    assert picked.types.tolist() == [0, 1, 0, 0, 0, 1, 1]
    assert picked.places is None


@settings(deadline=None)
@given(
    sizes=st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=3), min_size=1, max_size=6),
    data=st.data(),
)
def test_picking_is_taking_the_rows_of_each_sample(sizes: list[list[int]], data: st.DataObject) -> None:
    ids = iter(range(1_000))
    by_sample = [[[next(ids) for _ in range(size)] for size in rows] for rows in sizes]
    samples = np.repeat(np.arange(len(sizes)), [len(rows) for rows in sizes])
    input_ids, offsets = flat([row for rows in by_sample for row in rows])
    chosen = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=8))
    picked = Encoded(input_ids, offsets, tags=input_ids, samples=samples).pick(chosen)
    assert rows(picked) == [row for sample in chosen for row in by_sample[sample]]
    assert picked.owners.tolist() == [place for place, sample in enumerate(chosen) for _ in by_sample[sample]]
    assert picked.tags is not None
    assert picked.tags.tolist() == picked.input_ids.tolist()
