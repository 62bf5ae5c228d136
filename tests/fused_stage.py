"""Clients trained as one batch beside the same clients trained one by one, for the tests of fused training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from encoders import LABELS, VOCABULARY
from safetensors.torch import save_file

from harness.errors import TrainerError
from harness.learning.data.encode import UNLABELLED
from harness.learning.fused import FusedTrainer, LocalTask
from harness.learning.measured import Measured
from harness.learning.spec import PrepareSpec, Trained
from harness.learning.tensors import read_state
from harness.learning.torch_trainer import TorchTrainer
from harness.profiles import TaskName

SAMPLES = (11, 4, 7, 3)
"""Of the clients of a batch: with steps of 4, last steps of 3, 4, 3 and 3 rows, and 3, 1, 2 and 1 of them."""


def write_rows(path: Path, task: TaskName, samples: int, seed: int) -> Path:
    """A shard of random rows of 3 to 20 tokens for a task."""
    source = torch.Generator().manual_seed(seed)
    lengths = torch.randint(3, 21, (samples,), generator=source)
    tokens = int(lengths.sum())
    tensors = {
        "input_ids": torch.randint(5, VOCABULARY, (tokens,), generator=source).to(torch.int32),
        "offsets": torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)]),
    }
    if task == "text-classification":
        tensors["labels"] = torch.randint(0, LABELS, (samples,), generator=source)
    elif task == "token-classification":
        tags = torch.randint(0, LABELS, (tokens,), generator=source).to(torch.int32)
        tags[torch.rand(tokens, generator=source) < 0.3] = UNLABELLED
        tensors["tags"] = tags
    else:
        ends = (torch.rand((samples, 2), generator=source) * lengths[:, None]).to(torch.int32)
        tensors["spans"] = ends.sort(dim=1).values.contiguous()
        tensors["types"] = (torch.rand(tokens, generator=source) < 0.5).to(torch.uint8)
    save_file(tensors, path)
    return path


def tasks_of(
    folder: Path,
    state: Path | Sequence[Path],
    task: TaskName = "text-classification",
    samples: Sequence[int] = SAMPLES,
    round: int = 1,
) -> list[LocalTask]:
    """A task for each client, of one state or of each its own."""
    states = [state] * len(samples) if isinstance(state, Path) else state
    return [
        LocalTask(
            state=states[client],
            shard=write_rows(folder / f"shard-{client}.safetensors", task, count, seed=client),
            update=folder / f"update-{client}.safetensors",
            seed=100 + client,
            round=round,
        )
        for client, count in enumerate(samples)
    ]


def together(spec: PrepareSpec, base: Path, init: Path | None, tasks: Sequence[LocalTask]) -> list[Measured]:
    """All trained as one batch; none may fail."""
    done = FusedTrainer(spec, base, init).together(tasks)
    assert not [one for one in done if isinstance(one, TrainerError)]
    return [one for one in done if isinstance(one, Measured)]


def one_by_one(spec: PrepareSpec, base: Path, init: Path | None, tasks: Sequence[LocalTask]) -> list[Trained]:
    """The same tasks by a trainer that has one at a time; updates land beside the others."""
    trainer, done = TorchTrainer(spec, base, init), []
    for task in tasks:
        trainer.load(task.state, task.shard, task.round)
        trainer.save(_beside(task, "begun"))
        done.append(trainer.train(task.seed, task.round))
        trainer.save(_beside(task, "alone"))
    return done


def apart(task: LocalTask, without: str = "nothing") -> float:
    """How far the two updates of a task are apart, over how far the training went: norms over all that was trained."""
    fused, alone = read_state(task.update), read_state(_beside(task, "alone"))
    begun = read_state(_beside(task, "begun")) | read_state(task.state)
    assert {name: tensor.shape for name, tensor in fused.items()} == {name: t.shape for name, t in alone.items()}
    names = [name for name in alone if name != without]
    far = sum(float((fused[name] - alone[name]).double().square().sum()) for name in names)
    way = sum(float((alone[name] - begun.get(name, 0.0)).double().square().sum()) for name in names)
    return math.sqrt(far / way)


def _beside(task: LocalTask, what: str) -> Path:
    return task.update.with_name(f"{what}-{task.update.name}")
