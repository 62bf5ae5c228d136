"""All that a run learns from, as files: base weights, one shard for each client, the initial state, the evaluator.

Prepared once on the server from an experiment and a method; the same experiment gives the same bytes, so that a
resumed run prepares what it had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from harness.learning.data.dataset import load_dataset
from harness.learning.data.encode import Encoded, flat, write_shard
from harness.learning.data.examples import Dataset
from harness.learning.data.model_source import BASE_FILES, find_model
from harness.learning.data.partition import Indices
from harness.learning.partitioned import partition_record, parts_of
from harness.learning.seeding import profile_seed
from harness.learning.slices import slices, write_slices
from harness.learning.spec import PrepareSpec
from harness.profiles import Experiment, Method
from harness.records import Parameters, Partition

Report = Callable[[str], None]


class Evaluate(Protocol):
    """Metrics of a state file."""

    def __call__(self, state: Path, progress: Callable[[float], None] | None = None) -> dict[str, float]:
        """``progress`` is told the fraction done; what it raises ends the evaluation."""


@dataclass(frozen=True)
class Sources:
    """The user's own folders: data sets (``--data``) and pretrained models (``--models``).

    ``cache`` keeps what is slow to compute and the same for many runs; None: each run's own folder does.
    """

    data: Path | None = None
    models: Path | None = None
    cache: Path | None = None


@dataclass(frozen=True)
class Workload:
    """What agents and the controller need. The null trainer has shards of one sample, and little else.

    ``base`` are files by name (config.json, model.safetensors), ``shards`` and ``samples`` go by client id. ``init``
    is the initial state where clients need it to form their frozen weights (FeDeRA), ``svd_s`` what its SVD took.
    """

    base: dict[str, Path]
    shards: dict[int, Path]
    samples: dict[int, int]
    initial_state: Path
    init: Path | None
    svd_s: float
    prepare: PrepareSpec
    parameters: Parameters
    evaluator: Evaluate | None
    partition: Partition | None
    warnings: tuple[str, ...]


def prepare(experiment: Experiment, method: Method, sources: Sources, workdir: Path, report: Report) -> Workload:
    """Write the files of a run below ``workdir``; ``report`` is told each step in one line.

    Raises:
        UsageError: the data set, the model or the partition is not there, or not what the profile says.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    build = _null_workload if experiment.train.trainer == "null" else _learning_workload
    return build(experiment, method, sources, workdir, report)


def _learning_workload(
    experiment: Experiment, method: Method, sources: Sources, workdir: Path, report: Report
) -> Workload:
    """The workload of a real trainer."""
    from harness.learning.data.tokenizer import too_long
    from harness.learning.methods import initial_state, needs_init
    from harness.learning.tasks.registry import outputs_of, scoring
    from harness.learning.tensors import write_state

    report(f"finding model {experiment.model.name}")
    model = find_model(experiment.model, sources.models, workdir)
    report(f"reading data set {experiment.dataset.name}")
    dataset, warnings = load_dataset(experiment, sources.data, sources.models, sources.cache or workdir, report)
    task, label_names = experiment.dataset.task, dataset.label_names
    parts = parts_of(experiment, dataset)
    shards, test_shard = _write_data(experiment, dataset, parts, model.tokenizer, workdir, report)
    spec = _spec(experiment, method, outputs_of(task, label_names))
    report(f"making the initial state of {method}")
    initial = initial_state(model.base, spec, profile_seed("initialisation", experiment.seeds.initialisation))
    if initial.positions is not None and experiment.train.max_length > initial.positions:
        raise too_long(experiment.train.max_length, model.base, initial.positions)
    state = workdir / "initial.safetensors"
    write_state(state, initial.state)
    init = state if needs_init(method) else None
    return Workload(
        base={name: model.base / name for name in BASE_FILES},
        shards=shards,
        samples={client: len(part) for client, part in enumerate(parts)},
        initial_state=state,
        init=init,
        svd_s=initial.svd_s,
        prepare=spec,
        parameters=initial.parameters,
        evaluator=_LazyEvaluator(
            model.base,
            spec,
            init,
            test_shard,
            scoring(task, dataset.evaluated, label_names, experiment.evaluate.answer_length),
            experiment.evaluate.batch_size,
        ),
        partition=partition_record(experiment, dataset, parts),
        warnings=warnings,
    )


def _write_data(
    experiment: Experiment, dataset: Dataset, parts: Sequence[Indices], folder: Path, workdir: Path, report: Report
) -> tuple[dict[int, Path], Path]:
    """Encode all samples and write them: one shard for each client, and the evaluated ones."""
    from harness.learning.tasks.registry import encode

    task, train, names = experiment.dataset.task, experiment.train, dataset.label_names
    report(
        f"encoding {len(dataset.train):,} training and {len(dataset.evaluated):,} {experiment.evaluate.split} samples "
        f"in rows of {train.max_length} tokens"
    )
    learned = encode(task, dataset.train, names, folder, train, for_scoring=False, cache=workdir)
    scored = encode(task, dataset.evaluated, names, folder, train, for_scoring=True, cache=workdir)
    write_shard(scored, workdir / "test.safetensors")
    report(f"writing the shards of {len(parts)} clients, {min(map(len, parts))} to {max(map(len, parts))} samples each")
    return _write_shards(learned, parts, workdir), workdir / "test.safetensors"


def _null_workload(experiment: Experiment, method: Method, sources: Sources, workdir: Path, report: Report) -> Workload:
    """A state of the asked size, and shards of one sample; it measures the harness itself, without torch."""
    clients = range(experiment.partition.clients)
    report(f"writing a state of {experiment.train.null_state_bytes:,} bytes and {len(clients)} shards of one sample")
    chance = np.random.default_rng(profile_seed("initialisation", experiment.seeds.initialisation))
    count = max(1, experiment.train.null_state_bytes // 4)
    state = workdir / "initial.safetensors"
    values = (chance.standard_normal(stop - start, dtype=np.float32) for start, stop in slices((count,)))
    write_slices(state, {"null": (count,)}, values)
    samples = Encoded(*flat([client] for client in clients), labels=np.zeros(len(clients), dtype=np.int64))
    return Workload(
        base={},
        shards=_write_shards(samples, [np.array([client]) for client in clients], workdir),
        samples=dict.fromkeys(clients, 1),
        initial_state=state,
        init=None,
        svd_s=0.0,
        prepare=_spec(experiment, method, labels=2),
        parameters=Parameters(adapter=count, head=0, total=count),
        evaluator=None,
        partition=None,
        warnings=(),
    )


def _spec(experiment: Experiment, method: Method, labels: int) -> PrepareSpec:
    """What each trainer is told once."""
    return PrepareSpec(
        method=method,
        task=experiment.dataset.task,
        settings=experiment.method(method),
        modules=experiment.model.modules,
        train=experiment.train,
        labels=labels,
        threads=experiment.device.threads,
        rounds=experiment.rounds.count,
    )


def _write_shards(encoded: Encoded, parts: Sequence[Indices], workdir: Path) -> dict[int, Path]:
    """One file for each client."""
    folder = workdir / "shards"
    folder.mkdir(exist_ok=True)
    shards = {client: folder / f"{client}.safetensors" for client in range(len(parts))}
    for client, path in shards.items():
        write_shard(encoded.pick(parts[client]), path)
    return shards


class _LazyEvaluator:
    """Builds the evaluator, and with it a model in memory, when it is first called."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments
        self._evaluate: Evaluate | None = None

    def __call__(self, state: Path, progress: Callable[[float], None] | None = None) -> dict[str, float]:
        if self._evaluate is None:
            from harness.learning.evaluator import Evaluator

            self._evaluate = Evaluator(*self._arguments).evaluate
        return self._evaluate(state, progress)
