"""The same work for both sides of benchmark f: an experiment for federa-bench, and a job of it for the Flower app."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from shutil import copy
from typing import Any

import msgspec

from harness.controller import training_seed
from harness.learning.data.encode import read_shard
from harness.learning.data.sources import EMBEDDED
from harness.learning.steps import steps_of
from harness.learning.workload import Sources, Workload, prepare
from harness.library import load_experiment
from harness.profiles import Experiment, Method
from harness.rounds.selection import cohort

METHOD: Method = "fedlr"
WORKERS = 2


@dataclass(frozen=True)
class Load:
    """A workload: the shape of a RoBERTa encoder with random weights, and what its clients do in each round.

    ``fused`` clients at most are one batch on federa-bench's side; Flower has nothing like it.
    """

    name: str
    layers: int
    width: int
    clients: int
    per_round: int
    rounds: int
    batch_size: int
    max_steps: int
    fused: int = 1

    @property
    def clients_trained(self) -> int:
        """How many local trainings a steady round has."""
        return self.per_round


def make_model(load: Load, folder: Path) -> Path:
    """The encoder's folder: a RoBERTa of this shape with weights drawn from a seed, and the embedded tokenizer."""
    import torch
    from transformers import RobertaConfig, RobertaModel

    from harness.learning.models import quiet

    folder.mkdir(parents=True, exist_ok=True)
    shape = json.loads((EMBEDDED / "encoder" / "config.json").read_text(encoding="utf-8"))
    config = RobertaConfig(
        vocab_size=shape["vocab_size"],
        max_position_embeddings=shape["max_position_embeddings"],
        hidden_size=load.width,
        num_hidden_layers=load.layers,
        num_attention_heads=max(1, load.width // 32),
        intermediate_size=4 * load.width,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        type_vocab_size=1,
        pad_token_id=shape["pad_token_id"],
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = RobertaModel(config, add_pooling_layer=False)
    with quiet():
        model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        copy(EMBEDDED / "encoder" / name, folder / name)
    return folder


def experiment_of(load: Load, model: Path) -> Experiment:
    """federa-bench's side: a virtual fleet of as many processes as Flower has workers, evaluated at its end."""
    sets = {
        "fleet": "virtual",
        "model": str(model),
        "link": "unshaped",
        "device": "local",
        "partition.kind": "iid",
        "partition.clients": load.clients,
        "rounds.count": load.rounds,
        "rounds.clients_per_round": load.per_round,
        f"methods.{METHOD}.lr": 2e-3,
        "train.batch_size": load.batch_size,
        "train.max_steps": load.max_steps,
        "evaluate.every": load.rounds,
        "simulation.processes": WORKERS,
        "simulation.fused_clients": load.fused,
    }
    return load_experiment("quickstart", [f"{key}={value}" for key, value in sets.items()])


def job_of(experiment: Experiment, folder: Path) -> dict[str, Any]:
    """The Flower app's side: the files that federa-bench prepares, the cohorts, and the rows of every single step."""
    workload = prepare(experiment, METHOD, Sources(), folder / "work", lambda _: None)
    settings, rounds = experiment.method(METHOD), experiment.rounds
    seeds, clients = experiment.seeds, experiment.partition.clients
    cohorts = [cohort(seeds.cohort, number, clients, rounds.clients_per_round) for number in range(1, rounds.count + 1)]
    names = _names(workload)
    return {
        "base": str(workload.base_folder),
        "initial": str(workload.initial_state),
        "labels": workload.prepare.labels,
        "rank": settings.rank,
        "alpha": settings.alpha,
        "lr": settings.lr,
        "layers": list(workload.layers),
        "names": names,
        "pad_id": json.loads((workload.base["config.json"]).read_text(encoding="utf-8"))["pad_token_id"],
        "shards": {str(client): str(path) for client, path in workload.shards.items()}
        | {"test": str(folder / "work" / "test.safetensors")},
        "samples": {str(client): count for client, count in workload.samples.items()},
        "cohorts": cohorts,
        "steps": {
            f"{number}/{client}": _steps(experiment, workload, number, client)
            for number, chosen in enumerate(cohorts, start=1)
            for client in chosen
        },
        "supernodes": rounds.clients_per_round,
        "workers": WORKERS,
        "evaluate_batch": experiment.evaluate.batch_size,
    }


def _steps(experiment: Experiment, workload: Workload, number: int, client: int) -> list[list[int]]:
    shard = read_shard(workload.shards[client])
    return steps_of(shard, experiment.train, training_seed(experiment.seeds.training, number, client))


def _names(workload: Workload) -> list[str]:
    """The trained tensors: those of the initial state."""
    from safetensors import safe_open

    with safe_open(workload.initial_state, framework="np") as state:
        return sorted(state.keys())


def encoded(value: Any) -> bytes:
    """As JSON."""
    return msgspec.json.encode(value)
