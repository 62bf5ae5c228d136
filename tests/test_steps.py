"""Which rows make a step: each row once an epoch, and grouping by length changes nobody's weight."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.learning.data.encode import UNLABELLED, Encoded, flat
from harness.learning.steps import parts_of, steps_of, weight_of
from harness.profiles import TrainProfile


def shard_of(lengths: list[int], tagged: bool = False) -> Encoded:
    """Rows of these lengths; tagged ones have a tag on every second token."""
    input_ids, offsets = flat([[5] * length for length in lengths])
    if not tagged:
        return Encoded(input_ids, offsets, labels=np.zeros(len(lengths), dtype=np.int64))
    tags = np.concatenate([np.where(np.arange(length) % 2 == 0, 1, UNLABELLED) for length in lengths])
    return Encoded(input_ids, offsets, tags=tags.astype(np.int32))


def padded_tokens(shard: Encoded, steps: list[list[int]]) -> int:
    lengths = np.diff(shard.offsets)
    return sum(len(step) * int(lengths[step].max()) for step in steps)


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=90),
    batch_size=st.integers(1, 20),
    epochs=st.integers(1, 3),
    padding=st.sampled_from(["longest", "fixed", "grouped"]),
    seed=st.integers(0, 3),
)
def test_every_row_comes_once_an_epoch(
    lengths: list[int], batch_size: int, epochs: int, padding: str, seed: int
) -> None:
    train = TrainProfile(batch_size=batch_size, epochs=epochs, padding=padding)  # type: ignore[arg-type]
    steps = steps_of(shard_of(lengths), train, seed)
    of_an_epoch = -(-len(lengths) // batch_size)
    assert len(steps) == epochs * of_an_epoch
    for epoch in range(epochs):
        of_this = steps[epoch * of_an_epoch : (epoch + 1) * of_an_epoch]
        assert sorted(itertools.chain(*of_this)) == list(range(len(lengths)))
        assert {len(step) for step in of_this[:-1]} <= {batch_size}


def test_grouping_saves_padding_and_leaves_the_small_last_step_to_chance() -> None:
    lengths = np.random.default_rng(1).integers(3, 60, size=113).tolist()
    shard = shard_of(lengths)
    plain = steps_of(shard, TrainProfile(), seed=4)
    grouped = steps_of(shard, TrainProfile(padding="grouped"), seed=4)
    assert grouped[-1] == plain[-1]
    assert len(grouped[-1]) == 113 % 16
    assert padded_tokens(shard, grouped) < 0.75 * padded_tokens(shard, plain)
    longest = [max(lengths[row] for row in step) for step in grouped[:-1]]
    assert longest != sorted(longest)  # short texts are not all learned first


def test_a_limit_takes_the_first_steps_of_the_same_order() -> None:
    shard = shard_of(list(range(1, 65)))
    whole = steps_of(shard, TrainProfile(epochs=2), seed=3)
    assert steps_of(shard, TrainProfile(epochs=2, max_steps=5), seed=3) == whole[:5]
    assert steps_of(shard, TrainProfile(epochs=2, max_steps=99), seed=3) == whole


def test_another_seed_is_another_order_and_the_same_one_the_same() -> None:
    shard = shard_of(list(range(1, 65)))
    for padding in ("longest", "grouped"):
        train = TrainProfile(padding=padding)  # type: ignore[arg-type]
        assert steps_of(shard, train, 1) == steps_of(shard, train, 1)
        assert steps_of(shard, train, 1) != steps_of(shard, train, 2)


def test_a_step_is_taken_in_parts_that_fit_into_memory() -> None:
    step = list(range(10))
    assert parts_of(step, TrainProfile()) == [step]
    assert parts_of(step, TrainProfile(micro_batch_size=4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_text_weighs_one_over_the_step_s_texts() -> None:
    shard = shard_of([3, 4, 5])
    assert weight_of(shard, [0, 2], TrainProfile()) == 2.0


def test_tags_are_averaged_over_the_step_as_they_are_in_random_steps() -> None:
    shard = shard_of([2, 4, 10], tagged=True)
    assert weight_of(shard, [0, 2], TrainProfile()) == 1 + 5


@pytest.mark.parametrize("seed", range(3))
def test_grouped_by_length_every_tag_weighs_the_same_whatever_its_neighbours(seed: int) -> None:
    lengths = np.random.default_rng(seed).integers(2, 50, size=64).tolist()
    shard, train = shard_of(lengths, tagged=True), TrainProfile(padding="grouped")
    weights = {weight_of(shard, step, train) for step in steps_of(shard, train, seed)}
    assert shard.tags is not None
    assert weights == {16 * (shard.tags != UNLABELLED).sum() / 64}


def test_rows_without_any_tag_are_no_division_by_zero() -> None:
    input_ids, offsets = flat([[5, 5], [5]])
    shard = Encoded(input_ids, offsets, tags=np.full(3, UNLABELLED, dtype=np.int32))
    assert weight_of(shard, [0, 1], TrainProfile()) == 1.0
    assert weight_of(shard, [0, 1], TrainProfile(padding="grouped")) == 1.0
