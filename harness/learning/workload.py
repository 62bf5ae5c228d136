"""All that a run learns from, as files: base weights, one shard for each client, the initial state, the evaluator.

Prepared once on the server from an experiment and a method; the same experiment gives the same bytes, so that a
resumed run prepares what it had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from harness.learning.data.dataset import load_dataset
from harness.learning.data.encode import Encoded, flat, write_shard
from harness.learning.data.examples import Dataset
from harness.learning.data.model_source import BASE_FILES, find_model
from harness.learning.data.partition import Indices
from harness.learning.evaluation import LazyEvaluator
from harness.learning.partitioned import partition_record, parts_of
from harness.learning.seeding import profile_seed
from harness.learning.slices import slices, write_slices
from harness.learning.spec import PrepareSpec
from harness.profiles import Experiment, Method, TrainProfile
from harness.profiles.simulating import disturbed
from harness.records import Parameters, Partition

if TYPE_CHECKING:  # torch is imported by who learns
    from harness.learning.methods.base import InitialState

Report = Callable[[str], None]


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
    holds what each client is shipped once: factors from which it forms its frozen weights (FeDeRA's start), or that it
    never trains (FFA's A); None: nothing is. ``svd_s`` is what the SVD took. ``layers``: [d, k] of the adapted weights
    by name; empty of a method without low-rank factors. ``partition`` is None where nothing was shared out: of a null
    run, and of ``central``, whose one client holds it all.
    """

    base: dict[str, Path]
    shards: dict[int, Path]
    samples: dict[int, int]
    initial_state: Path
    layers: dict[str, tuple[int, int]]
    init: Path | None
    svd_s: float
    prepare: PrepareSpec
    parameters: Parameters
    evaluator: LazyEvaluator | None
    partition: Partition | None
    warnings: tuple[str, ...]

    @property
    def base_folder(self) -> Path | None:
        """Where the base files are; None of the null trainer."""
        return next((path.parent for path in self.base.values()), None)


def prepare(experiment: Experiment, method: Method, sources: Sources, workdir: Path, report: Report) -> Workload:
    """Write the files of a run below ``workdir``; ``report`` is told each step in one line.

    Raises:
        UsageError: the data set, the model or the partition is not there, or not what the profile says.
        ProfileError: the experiment cannot be run with this method.
    """
    experiment.check(method)
    workdir.mkdir(parents=True, exist_ok=True)
    build = _null_workload if experiment.train.trainer == "null" else _learning_workload
    workload, disturbance = build(experiment, method, sources, workdir, report), disturbed(experiment)
    if disturbance is None:
        return workload
    return replace(workload, warnings=(*workload.warnings, disturbance))


def _learning_workload(
    experiment: Experiment, method: Method, sources: Sources, workdir: Path, report: Report
) -> Workload:
    """The workload of a real trainer."""
    from harness.learning.data.tokenizer import too_long
    from harness.learning.methods import initial_state
    from harness.learning.tasks.registry import outputs_of, scoring
    from harness.learning.tensors import write_state

    report(f"finding model {experiment.model.name}")
    model = find_model(experiment.model, sources.models, workdir)
    report(f"reading data set {experiment.dataset.name}")
    dataset, warnings = load_dataset(experiment, sources.data, sources.models, sources.cache or workdir, report)
    task, label_names = experiment.dataset.task, dataset.label_names
    parts = parts_of(experiment, dataset, method)
    shards, test_shard = _write_data(experiment, dataset, parts, model.tokenizer, workdir, report)
    spec = _spec(experiment, method, outputs_of(task, label_names))
    report(f"making the initial state of {method}")
    initial = initial_state(model.base, spec, profile_seed("initialisation", experiment.seeds.initialisation))
    if initial.positions is not None and experiment.train.max_length > initial.positions:
        raise too_long(experiment.train.max_length, model.base, initial.positions)
    state = workdir / "initial.safetensors"
    write_state(state, initial.state)
    init = _shipped(initial, state)
    return Workload(
        base={name: model.base / name for name in BASE_FILES},
        shards=shards,
        samples={client: len(part) for client, part in enumerate(parts)},
        initial_state=state,
        layers=initial.layers,
        init=init,
        svd_s=initial.svd_s,
        prepare=spec,
        parameters=initial.parameters,
        evaluator=LazyEvaluator(
            model.base,
            spec,
            init,
            test_shard,
            scoring(task, dataset.evaluated, label_names, experiment.evaluate.answer_length),
            experiment.evaluate.batch_size,
        ),
        partition=None if method == "central" else partition_record(experiment, dataset, parts),
        warnings=warnings,
    )


def _shipped(initial: InitialState, state: Path) -> Path | None:
    """The file of what each client is shipped once: the initial state itself, where it is all of that."""
    from harness.learning.tensors import write_state

    if initial.first is None or initial.first.keys() == initial.state.keys():
        return None if initial.first is None else state
    path = state.with_name("first.safetensors")
    write_state(path, initial.first)
    return path


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
    clients = range(1 if method == "central" else experiment.partition.clients)
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
        layers={},
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
        train=_training(experiment, method),
        labels=labels,
        threads=experiment.device.threads,
        rounds=experiment.rounds.count,
        seed=experiment.seeds.initialisation,
    )


def _training(experiment: Experiment, method: Method) -> TrainProfile:
    """Local training; ``central`` takes as many steps a round as all clients of the others together."""
    train = experiment.train
    if method != "central" or train.max_steps is None:
        return train
    return msgspec.structs.replace(train, max_steps=train.max_steps * experiment.partition.clients)


def _write_shards(encoded: Encoded, parts: Sequence[Indices], workdir: Path) -> dict[int, Path]:
    """One file for each client."""
    folder = workdir / "shards"
    folder.mkdir(exist_ok=True)
    shards = {client: folder / f"{client}.safetensors" for client in range(len(parts))}
    for client, path in shards.items():
        write_shard(encoded.pick(parts[client]), path)
    return shards
