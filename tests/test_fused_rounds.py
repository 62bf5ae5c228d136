"""Rounds of every low-rank method, each client's update made in one batch with the others' and alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from fused_stage import apart, one_by_one, tasks_of, together
from safetensors.torch import load_file, save_file
from trained_rounds import TrainedRounds

from harness.errors import TrainerError
from harness.learning.forms import CHANGE
from harness.learning.fused import FusedTrainer, refusal
from harness.profiles import METHODS, Method, MethodProfile

FUSED = [method for method in METHODS if refusal(method, MethodProfile()) is None]
OF_METHODS: list[tuple[Method, dict[str, Any]]] = [
    *((method, {}) for method in FUSED),
    ("hetlora", {"ranks": [4, 2, 1]}),
    ("flexlora", {"ranks": [1, 4, 2]}),
    ("fra", {"fra": {"residual": "fold"}, "initialisation": "federa"}),
    ("fra-ffa", {"switch_round": 1}),
    ("flora", {"initialisation": "federa"}),
]


def test_every_low_rank_method_but_slora_can_be_fused() -> None:
    assert set(METHODS) - set(FUSED) == {"fedft", "fedbf", "fedap", "slora"}


@pytest.mark.parametrize(("method", "settings"), OF_METHODS)
def test_the_clients_of_each_round_learn_what_they_would_alone(
    tmp_path: Path, method: Method, settings: dict[str, Any]
) -> None:
    rounds = TrainedRounds(tmp_path, method, clients=1 if method == "central" else 3, **settings)
    for round in (1, 2, 3):
        states = [rounds.given(client).whole for client in range(len(rounds.shards))]
        folder = tmp_path / f"round-{round}"
        folder.mkdir()
        tasks = tasks_of(folder, states, samples=(9, 5, 2)[: len(states)], round=round)
        together(rounds.spec, rounds.base, rounds.init, tasks)
        one_by_one(rounds.spec, rounds.base, rounds.init, tasks)
        assert max(apart(task) for task in tasks) < 1e-5
        rounds.close({client: task.update for client, task in enumerate(tasks)})


def test_frozen_weights_that_are_not_the_others_are_refused(tmp_path: Path) -> None:
    rounds = TrainedRounds(tmp_path, "fedex")
    state, other = rounds.given(0).whole, tmp_path / "other.safetensors"
    tensors, shapes = load_file(state), rounds.initial.layers
    save_file(tensors | {CHANGE + layer: torch.ones(shape) for layer, shape in shapes.items()}, other)
    tasks = tasks_of(tmp_path, [state, other], samples=(4, 4))
    done = FusedTrainer(rounds.spec, rounds.base, rounds.init).together(tasks)
    assert not isinstance(done[0], TrainerError)
    assert isinstance(done[1], TrainerError)
    assert "changes the frozen weights in another way" in str(done[1])
