"""Clients trained as one batch learn what each would learn alone: every encoder, task, padding and precision."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from encoders import ARCHITECTURES, spec_of, write_texts
from fused_stage import apart, one_by_one, tasks_of, together, write_rows
from local_training import prepared
from safetensors.torch import load_file, save_file

from harness.errors import TrainerError, UsageError
from harness.learning.fused import FusedTrainer, LocalTask
from harness.learning.fused.trainer import TRIED
from harness.learning.measured import Measured
from harness.learning.spec import PrepareSpec
from harness.profiles import TaskName, TrainProfile

TASKS: tuple[TaskName, ...] = ("text-classification", "token-classification", "question-answering")
NO_MATTER = "qa_outputs.bias"
"""Raises the scores of all tokens alike, so that no loss depends on it: it follows the rounding of its gradient, and
AdamW makes steps of that, alone as well."""


def prepared_tasks(
    folder: Path,
    train: TrainProfile,
    architecture: str = "bert",
    task: TaskName = "text-classification",
    **settings: Any,
) -> tuple[PrepareSpec, Path, list[LocalTask]]:
    """Four clients of different sizes that begin with one state, of a method without anything shipped before."""
    labels = 2 if task == "question-answering" else 4
    spec = spec_of("fedlr", labels, train, task=task, **settings)
    base, state = prepared(folder, spec, architecture)
    return spec, base, tasks_of(folder, state, task)


def see_equal(spec: PrepareSpec, base: Path, tasks: list[LocalTask], at_most: float = 1e-5) -> None:
    """Train the tasks in both ways, and compare all there is to compare."""
    fused, alone = together(spec, base, None, tasks), one_by_one(spec, base, None, tasks)
    for task, one, other in zip(tasks, fused, alone, strict=True):
        assert one.trained.loss == pytest.approx(other.loss, rel=1e-6)
        assert msgspec.structs.replace(one.trained, loss=other.loss) == other
        assert apart(task, without=NO_MATTER) < at_most


@pytest.mark.parametrize(
    ("architecture", "task"),
    [(kind, TASKS[0]) for kind in TRIED] + [(kind, task) for kind in ARCHITECTURES for task in TASKS[1:]],
)
def test_each_client_learns_what_it_would_alone(tmp_path: Path, architecture: str, task: TaskName) -> None:
    see_equal(*prepared_tasks(tmp_path, TrainProfile(batch_size=4), architecture, task))


@pytest.mark.parametrize("padding", ["fixed", "grouped"])
def test_rows_may_be_padded_in_any_way(tmp_path: Path, padding: str) -> None:
    train = msgspec.convert({"batch_size": 4, "padding": padding, "max_length": 24, "epochs": 2}, TrainProfile)
    see_equal(*prepared_tasks(tmp_path, train, "roberta", "token-classification"))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("architecture", ["roberta", "deberta-v2"])
def test_bf16_rounds_where_it_does_alone(tmp_path: Path, architecture: str, task: TaskName) -> None:
    see_equal(*prepared_tasks(tmp_path, TrainProfile(batch_size=4, precision="bf16"), architecture, task), 1e-4)


def test_a_step_comes_in_parts(tmp_path: Path) -> None:
    see_equal(*prepared_tasks(tmp_path, TrainProfile(batch_size=4, micro_batch_size=3)))


@pytest.mark.parametrize("setting", [{"prox": 0.5}, {"scaffold": True}])
def test_gradients_are_corrected_client_by_client(tmp_path: Path, setting: dict[str, Any]) -> None:
    spec, base, tasks = prepared_tasks(tmp_path, TrainProfile(batch_size=4), **setting)
    if "scaffold" in setting:
        state = load_file(tasks[0].state)
        save_file(state | {f"control/{name}": 0.01 * (tensor + 1) for name, tensor in state.items()}, tasks[0].state)
    see_equal(spec, base, tasks)


def test_the_same_clients_give_the_same_bits_and_any_company_nearly(tmp_path: Path) -> None:
    spec, base, tasks = prepared_tasks(tmp_path, TrainProfile(batch_size=4))
    trainer, bits = FusedTrainer(spec, base, None), []
    for _ in range(2):
        trainer.together(tasks[1:])
        trainer.together(tasks)
        bits.append([task.update.read_bytes() for task in tasks])
    assert bits[0] == bits[1]
    one_by_one(spec, base, None, tasks)
    assert all(apart(task) < 1e-5 for task in tasks)
    trainer.together(tasks[:1])
    assert apart(tasks[0]) < 1e-5


def test_seconds_are_shares_that_sum_to_those_of_the_batch(tmp_path: Path) -> None:
    done = together(*_with_none(prepared_tasks(tmp_path, TrainProfile(batch_size=4))))
    tokens = [one.trained.tokens for one in done]
    whole_s = sum(one.train_s for one in done)
    assert [one.train_s for one in done] == pytest.approx([whole_s * each / sum(tokens) for each in tokens])
    assert len({one.load_s for one in done}) == 1
    assert all(one.serialise_s > 0 and one.cpu_s > 0 for one in done)


def test_who_diverges_or_has_a_broken_file_fails_alone(tmp_path: Path) -> None:
    spec, base, tasks = prepared_tasks(tmp_path, TrainProfile(batch_size=4))
    one_by_one(spec, base, None, tasks)
    wild = tmp_path / "wild.safetensors"
    save_file({name: 1e30 * (1 + tensor) for name, tensor in load_file(tasks[1].state).items()}, wild)
    tasks[1] = msgspec.structs.replace(tasks[1], state=wild)
    write_texts(tasks[3].shard, [[5, 6]], labels=[9])
    done = FusedTrainer(spec, base, None).together(tasks)
    for place, why in ((1, "training diverged: "), (3, "has label 9, the model knows 0 to 3")):
        assert isinstance(done[place], TrainerError)
        assert why in str(done[place])
        assert not tasks[place].update.exists()
    for place in (0, 2):
        assert isinstance(done[place], Measured)
        assert apart(tasks[place]) < 1e-5


def test_clients_of_two_rounds_are_two_batches(tmp_path: Path) -> None:
    train = TrainProfile(batch_size=4, schedule="linear")
    spec, base, tasks = prepared_tasks(tmp_path, train)
    spec = msgspec.structs.replace(spec, rounds=4)
    tasks[::2] = [msgspec.structs.replace(task, round=3) for task in tasks[::2]]
    see_equal(spec, base, tasks)


def test_none_or_only_broken_ones_are_no_batch(tmp_path: Path) -> None:
    spec, base, tasks = prepared_tasks(tmp_path, TrainProfile(batch_size=4))
    trainer = FusedTrainer(spec, base, None)
    assert trainer.together([]) == []
    tasks[0].state.write_bytes(b"no tensors")
    done = trainer.together(tasks[:2])
    assert [type(one) for one in done] == [TrainerError, TrainerError]
    assert "is no safetensors file" in str(done[0])


def test_what_is_not_low_rank_or_not_tried_is_refused_in_a_sentence(tmp_path: Path) -> None:
    spec, base, _ = prepared_tasks(tmp_path, TrainProfile(batch_size=4), "mpnet")
    with pytest.raises(UsageError, match=r"encoders of type 'mpnet' were not tried .* simulation\.fused_clients to 1"):
        FusedTrainer(spec, base, None)
    with pytest.raises(UsageError, match="fedft trains tensors of its own all over the encoder"):
        FusedTrainer(spec_of("fedft"), base, None)


def test_a_long_client_and_a_short_one_share_no_token(tmp_path: Path) -> None:
    """One has rows of 3 tokens, the other of 20: masks, positions and dropout are those of 3."""
    spec, base, tasks = prepared_tasks(tmp_path, TrainProfile(batch_size=4), "deberta-v2")
    write_texts(tasks[0].shard, [[7, 8, 9]] * 4, [0, 1, 2, 3])
    write_rows(tasks[1].shard, spec.task, 4, seed=5)
    write_texts(tasks[2].shard, [list(range(5, 25))] * 4, [3, 2, 1, 0])
    see_equal(spec, base, tasks[:3])


def _with_none(made: tuple[PrepareSpec, Path, list[LocalTask]]) -> tuple[PrepareSpec, Path, None, list[LocalTask]]:
    spec, base, tasks = made
    return spec, base, None, tasks
