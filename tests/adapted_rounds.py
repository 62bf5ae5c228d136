"""Rounds of a method over small adapted layers: real strategies and files, clients that only add noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Aggregation, Ground, Update
from harness.learning.aggregation.registry import strategy_of
from harness.learning.loading import merged
from harness.learning.outgoing import Outgoing
from harness.learning.sparse import trained_count
from harness.learning.spec import PrepareSpec
from harness.profiles import Method, MethodProfile, TrainProfile, initialisation_of
from harness.tensorfile import layout

Array = NDArray[np.float64]
LAYERS = {"encoder.0.query": (6, 8), "encoder.0.value": (9, 5)}
HEAD = {"head.weight": (2, 3)}


def made_ground(
    folder: Path,
    method: Method,
    *,
    layers: dict[str, tuple[int, int]] = LAYERS,
    clients: int = 3,
    seed: int = 0,
    **settings: Any,
) -> Ground:
    """A run of ``method`` that begins; its initial state is drawn from ``seed``."""
    told = msgspec.convert({"rank": 2, "alpha": 3.0} | settings, MethodProfile)
    spec = PrepareSpec(method=method, settings=told, train=TrainProfile(), labels=2, threads=1, seed=7)
    ground = Ground(spec, layers, clients, clients, folder / "initial", folder / "clients")
    files.write(ground.initial, _initial(spec, layers, np.random.default_rng(seed)))
    return ground


def _initial(
    spec: PrepareSpec, layers: dict[str, tuple[int, int]], chance: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """What :func:`harness.learning.methods.initial_state` has of each method, of made-up numbers."""
    rank, start = spec.settings.rank, initialisation_of(spec.method, spec.settings)
    state: dict[str, NDArray[Any]] = {name: chance.standard_normal(shape) for name, shape in HEAD.items()}
    for layer, (d, k) in layers.items():
        state[layer + forms.A] = chance.standard_normal((rank, k))
        state[layer + forms.B] = chance.standard_normal((d, rank)) * (start == "federa")
        state[layer + forms.SPARSE] = np.zeros(trained_count((d, k), spec.settings.density))
    kinds = forms.form_of(spec.method, spec.settings, 1).given | forms.ships_first(spec.method, spec.settings)
    return {name: state[name] for name in forms.of_kinds(state, kinds)}


@dataclass
class Rounds:
    """A run below a folder. ``strategy`` may be made anew, as by a resume."""

    ground: Ground
    folder: Path
    round: int = 0
    held: dict[int, tuple[str, dict[str, torch.Tensor]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.strategy = strategy_of(self.ground)
        self.checkpoints = [self.ground.initial]

    def outgoing(self, client: int) -> Outgoing:
        """What a client is given in the next round."""
        return self.strategy.outgoing(self.round + 1, client, self.checkpoints[-1], self._beside(self.round + 1))

    def updates(self, clients: Sequence[int] = (0, 1, 2), noise: float = 1.0) -> list[Update]:
        """Updates of the next round: what clients were given, and noise on what they train."""
        return [self._update(client, noise) for client in clients]

    def close(self, updates: Sequence[Update]) -> Aggregation:
        """Aggregate the next round."""
        self.round += 1
        out = self.folder / f"checkpoint-{self.round}"
        beside = self._beside(self.round + 1)
        done = self.strategy.aggregate(self.round, self.checkpoints[-1], updates, out, beside)
        self.checkpoints.append(out)
        return done

    def run(self, rounds: int) -> list[Aggregation]:
        """So many rounds of all three clients."""
        return [self.close(self.updates()) for _ in range(rounds)]

    def loaded(self, client: int, *, lean: bool = False) -> dict[str, Array]:
        """The state that a client's trainer has for the next round; of a lean file together with what it held."""
        given = self.outgoing(client)
        state = _tensors(given.whole)
        if lean and given.lean is not None and client in self.held:
            since, before = self.held[client]
            assert given.lean.since == since
            state = merged(before, _tensors(given.lean.path))
        self.held[client] = given.sha256, state
        return {name: tensor.numpy().astype(np.float64) for name, tensor in state.items()}

    def _beside(self, round: int) -> Path:
        return self.folder / "outgoing" / f"round-{round:04d}"

    def _update(self, client: int, noise: float) -> Update:
        given, initial = self.outgoing(client), files.read(self.ground.initial)
        state, chance = initial | files.read(given.whole), np.random.default_rng([self.round, client])
        trained = {}
        for one in given.update.tensors:
            begun = state.get(one.name, np.zeros(one.shape))
            if begun.shape != one.shape:  # shipped at full rank
                begun = np.zeros(one.shape)
            trained[one.name] = begun + noise * chance.standard_normal(one.shape)
        path = self.folder / f"update-{self.round + 1}-{client}"
        files.write(path, trained)
        assert layout(path) == given.update
        return Update(client, path, samples=10 + 7 * client)


def effective(ground: Ground, state: dict[str, Array], round: int) -> dict[str, Array]:
    """What each layer adds to its pretrained weight at the beginning of a round, given the state that it begins with.

    A client that has fresh factors begins with A0 and B0 if these were shipped, else with B zero.
    """
    form = forms.form_of(ground.spec.method, ground.spec.settings, round)
    initial = files.read(ground.initial)
    added = {}
    for layer, shape in ground.layers.items():
        total = np.zeros(shape) + state.get(forms.CHANGE + layer, 0.0)
        if form.residual_base:
            total -= product(ground, initial, layer)
        if "B" in form.given:
            total += product(ground, state, layer)
        elif form.fresh and form.residual_base:
            total += product(ground, initial, layer)
        added[layer] = total
    return added


def trained_to(ground: Ground, state: dict[str, Array], updates: Sequence[Update], round: int) -> dict[str, Array]:
    """The mean, by samples, of what each client's layers add to the pretrained weights after its training."""
    form = forms.form_of(ground.spec.method, ground.spec.settings, round)
    initial, samples = files.read(ground.initial), sum(update.samples for update in updates)
    mean = {}
    for layer, shape in ground.layers.items():
        total = np.zeros(shape) + state.get(forms.CHANGE + layer, 0.0)
        if form.residual_base:
            total -= product(ground, initial, layer)
        for update in updates:
            total += update.samples / samples * product(ground, state | files.read(update.path), layer)
        mean[layer] = total
    return mean


def product(ground: Ground, state: dict[str, Array], layer: str) -> Array:
    """s B A of a state."""
    settings = ground.spec.settings
    result: Array = settings.alpha / settings.rank * (state[layer + forms.B] @ state[layer + forms.A])
    return result


def far_apart(one: dict[str, Array], other: dict[str, Array]) -> float:
    """The largest distance of two sets of matrices, relative to the second."""
    return max(float(np.linalg.norm(one[name] - other[name]) / np.linalg.norm(other[name])) for name in other)


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(values.astype(np.float32)) for name, values in files.read(path).items()}
