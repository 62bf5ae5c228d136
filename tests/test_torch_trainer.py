"""What the profile says of local training: parts of a step, padding, the schedule; and each task learns."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from encoders import LABELS, spec_of, write_shard
from local_training import prepared, task, without_dropout
from safetensors.torch import load_file

from harness.learning.data.encode import UNLABELLED, Encoded, flat
from harness.learning.data.encode import write_shard as write_encoded
from harness.learning.trainer import make_trainer
from harness.profiles import TrainProfile


def updates_of(tmp_path: Path, *trains: TrainProfile) -> list[dict[str, torch.Tensor]]:
    """The updates of one client under several local trainings."""
    updates = []
    for number, train in enumerate(trains):
        spec = spec_of("fedlr", train=train, lr=1e-3)
        base, state = prepared(tmp_path, spec)
        without_dropout(base)
        update = tmp_path / f"update-{number}"
        task(make_trainer(spec, base, state), state, write_shard(tmp_path / "s", 11), 0, update)
        updates.append(load_file(update))
    return updates


def farthest(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def test_a_step_in_parts_is_the_same_step(tmp_path: Path) -> None:
    whole, parts = updates_of(tmp_path, TrainProfile(batch_size=8), TrainProfile(batch_size=8, micro_batch_size=3))
    assert farthest(whole, parts) < 1e-5
    assert farthest(whole, load_file(tmp_path / "fedlr.safetensors")) > 1e-3


def test_padding_to_a_fixed_length_is_the_same_training(tmp_path: Path) -> None:
    longest, fixed = updates_of(
        tmp_path, TrainProfile(batch_size=4), TrainProfile(batch_size=4, padding="fixed", max_length=36)
    )
    assert farthest(longest, fixed) < 1e-5


def test_the_schedule_scales_the_learning_rate_of_a_round(tmp_path: Path) -> None:
    spec = msgspec.structs.replace(
        spec_of("fedlr", train=TrainProfile(batch_size=16, schedule="linear"), lr=1e-3), rounds=4
    )
    base, state = prepared(tmp_path, spec)
    trainer, shard, start = make_trainer(spec, base, None), write_shard(tmp_path / "s", 9), load_file(state)
    moved = []
    for round in (1, 3):
        task(trainer, state, shard, 0, tmp_path / "update", round)
        moved.append(farthest(start, load_file(tmp_path / "update")))
    # One step of Adam moves a tensor by the learning rate.
    assert moved == pytest.approx([1e-3, 0.5e-3], rel=1e-2)


@pytest.mark.parametrize("padding", ["longest", "grouped"])
def test_tagged_sentences_are_learned(tmp_path: Path, padding: str) -> None:
    train = TrainProfile(batch_size=4, epochs=30, padding=padding)  # type: ignore[arg-type]
    spec = msgspec.structs.replace(spec_of("federa", train=train, lr=3e-3), task="token-classification")
    input_ids, offsets = flat([[1, *range(10, 10 + length), 2] for length in range(3, 11)])
    tags = np.where(input_ids < 10, UNLABELLED, input_ids % LABELS).astype(np.int32)
    write_encoded(Encoded(input_ids, offsets, tags=tags), tmp_path / "s")
    base, state = prepared(tmp_path, spec)
    trainer, update = make_trainer(spec, base, state), tmp_path / "update"
    first, _ = task(trainer, state, tmp_path / "s", 0, update)
    second, _ = task(trainer, update, tmp_path / "s", 1, tmp_path / "next")
    assert (first.samples, first.steps, first.tokens) == (8, 60, 30 * len(input_ids))
    assert second.loss is not None
    assert first.loss is not None
    assert second.loss < 0.5 * first.loss


def test_a_question_counts_once_however_many_windows_it_has(tmp_path: Path) -> None:
    train = TrainProfile(batch_size=2, epochs=30)
    spec = msgspec.structs.replace(spec_of("fedlr", labels=2, train=train, lr=3e-3), task="question-answering")
    input_ids, offsets = flat([[1, 20 + row, 2, 30, 31, 20 + row, 32, 2] for row in range(5)])
    spans = np.array([[5, 6]] * 4 + [[0, 0]], dtype=np.int32)
    write_encoded(Encoded(input_ids, offsets, spans=spans, samples=np.array([0, 0, 1, 2, 2])), tmp_path / "s")
    base, state = prepared(tmp_path, spec)
    trainer, update = make_trainer(spec, base, state), tmp_path / "update"
    first, _ = task(trainer, state, tmp_path / "s", 0, update)
    second, _ = task(trainer, update, tmp_path / "s", 1, tmp_path / "next")
    assert (first.samples, first.steps) == (3, 90)
    assert second.loss is not None
    assert first.loss is not None
    assert second.loss < 0.7 * first.loss
