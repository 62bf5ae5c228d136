"""Clients of a virtual fleet trained as one batch, over the same clients one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from perf.base import Benchmark, Figure, Pace, Result, ratios
from perf.epoch_loops import MINILM, ROUND, SEED, TINY, Made, made, made_shard, spec_of

from harness.learning.fused import FusedTrainer, LocalTask
from harness.learning.measured import Measured, measured
from harness.learning.tensors import read_state
from harness.learning.torch_trainer import TorchTrainer

WORKLOADS = {
    "one small step": (16, TINY._replace(rows=4, batch_size=4, max_length=64)),
    "MiniLM-L6": (4, MINILM._replace(rows=16, batch_size=16)),
}
"""How many clients, and what each of them has; texts are long enough that a client's longest is its own."""


def run(pace: Pace) -> Result:
    """Both workloads, each in turns."""
    figures: list[Figure] = []
    deterministic = torch.are_deterministic_algorithms_enabled()
    for name, (clients, size) in WORKLOADS.items():
        if not (pace.quick and size.layers > TINY.layers):
            folder = pace.folder / name.replace(" ", "-")
            folder.mkdir()
            figures += _figures(name, made(folder, size), clients, pace)
    torch.use_deterministic_algorithms(deterministic)
    return Result(letter="j", figures=tuple(figures), remark=f"{torch.get_num_threads()} threads for both.")


def _figures(name: str, files: Made, clients: int, pace: Pace) -> list[Figure]:
    shards = shards_of(files, clients)
    fused, alone = (_tasks(files, shards, way) for way in ("fused", "alone"))
    seconds = pace.side_by_side({"together": _together(files, fused), "one by one": _one_by_one(files, alone)})
    apart = [_apart(one, other) for one, other in zip(fused, alone, strict=True)]
    one_by_one, together = seconds["one by one"], seconds["together"]
    return [
        Figure(name=f"{name}: one by one over together", unit="", values=ratios(one_by_one, together)),
        Figure(name=f"{name}: updates apart, over their change", unit="", values=(max(apart),), at_most=1e-4),
        *(
            Figure(name=f"{name}: a client, {way}", unit="ms", values=tuple(1000 * s / clients for s in each))
            for way, each in seconds.items()
        ),
    ]


def shards_of(files: Made, clients: int) -> list[Path]:
    """A shard for each client: together, short rows are padded to the longest of all clients, which has to be paid."""
    return [made_shard(files.base / f"shard-{client}", files.size, SEED + client) for client in range(clients)]


def _tasks(files: Made, shards: Sequence[Path], way: str) -> list[LocalTask]:
    return [
        LocalTask(
            state=files.state, shard=shard, update=files.base / f"{way}-{client}", seed=SEED + client, round=ROUND
        )
        for client, shard in enumerate(shards)
    ]


def _together(files: Made, tasks: list[LocalTask]) -> Callable[[], float]:
    """Seconds from the first state that is read to the last update that is written."""
    trainer = FusedTrainer(spec_of(files.size, "longest"), files.base, None)

    def seconds() -> float:
        _clear(tasks)
        begun_s = time.perf_counter()
        done = trainer.together(tasks)
        assert all(isinstance(one, Measured) for one in done)
        return time.perf_counter() - begun_s

    return seconds


def _one_by_one(files: Made, tasks: list[LocalTask]) -> Callable[[], float]:
    trainer = TorchTrainer(spec_of(files.size, "longest"), files.base, None)

    def seconds() -> float:
        _clear(tasks)
        begun_s = time.perf_counter()
        for task in tasks:
            measured(trainer, task.state, task.shard, task.update, task.seed, task.round)
        return time.perf_counter() - begun_s

    return seconds


def _clear(tasks: list[LocalTask]) -> None:
    """Updates are new files in a run; to replace one may wait for the disk."""
    for task in tasks:
        task.update.unlink(missing_ok=True)


def _apart(one: LocalTask, other: LocalTask) -> float:
    """The distance of two updates, over how far the second went from the state."""
    fused, alone, begun = (read_state(path) for path in (one.update, other.update, one.state))
    return _norm(fused, alone) / _norm(alone, begun)


def _norm(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    return float(torch.stack([(one[name] - other[name]).double().norm() for name in one]).norm())


BENCHMARK = Benchmark(
    letter="j",
    title="Clients trained as one batch",
    what=(
        "Clients of one round (FedLR, rank 32, 13 tags, each its own rows, whose lengths are drawn like WNUT2017's, at "
        "most 64 tokens), from the state's file to their updates' files: each by itself, and all as one batch "
        "(simulation.fused_clients), in which rows are padded to the longest of all. One small step: 16 clients of 4 "
        "rows in an encoder of 2 layers, width 64, where torch's own overhead is what counts. MiniLM-L6: its shape, 4 "
        "clients with one step of 16 rows, where the products are. Both draw the same chance; their updates are "
        "compared."
    ),
    run=run,
)
