"""How long a local epoch takes, padded to a fixed length, to the longest of a batch, and grouped by length.

    .venv/bin/python tests/benchmarks/local_epoch.py wnut-minilm --data path/to/parquet --models path/to/models

All three train the same clients from the same state in one process, in turns; printed are the medians over clients and
repetitions, and their ratio to the fixed length. A benchmark, not a test: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.learning.spec import Trainer
from harness.learning.trainer import make_trainer
from harness.learning.workload import Sources, Workload, prepare
from harness.library import load_experiment

PADDINGS = ("fixed", "longest", "grouped")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("profile")
    parser.add_argument("--method", default="fedlr")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--set", action="append", default=[], help="change a key of the profile, as in a.b=c")
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=5)
    asked = parser.parse_args(arguments)
    experiment = load_experiment(asked.profile, asked.set)
    with tempfile.TemporaryDirectory() as folder:
        workload = prepare(experiment, asked.method, Sources(asked.data, asked.models), Path(folder), _say)
        trainers = {padding: _trainer(workload, padding) for padding in PADDINGS}
        seconds: dict[str, list[float]] = {padding: [] for padding in PADDINGS}
        for repetition in range(asked.repetitions + 1):
            for client in range(asked.clients):
                for padding, trainer in trainers.items():
                    spent_s = _epoch_s(trainer, workload, client)
                    if repetition > 0:  # the first one warms up
                        seconds[padding].append(spent_s)
    _print(seconds)
    return 0


def _trainer(workload: Workload, padding: str) -> Trainer:
    train = msgspec.structs.replace(workload.prepare.train, padding=padding)
    base = next(iter(workload.base.values())).parent
    return make_trainer(msgspec.structs.replace(workload.prepare, train=train), base, workload.init)


def _epoch_s(trainer: Trainer, workload: Workload, client: int) -> float:
    trainer.load(workload.initial_state, workload.shards[client])
    begun_s = time.perf_counter()
    trainer.train(seed=client, round=1)
    return time.perf_counter() - begun_s


def _print(seconds: dict[str, list[float]]) -> None:
    fixed = statistics.median(seconds["fixed"])
    for padding, values in seconds.items():
        median = statistics.median(values)
        print(
            f"{padding:8} median {median:.3f} s ({min(values):.3f} to {max(values):.3f}, {len(values)} epochs), "
            f"{median / fixed:.3f} of fixed"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
