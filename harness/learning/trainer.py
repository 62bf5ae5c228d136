"""The trainer that a spec asks for, and the null trainer; free of torch until a torch trainer is made."""

from __future__ import annotations

from pathlib import Path

from harness.durable import copy_whole
from harness.errors import TrainerError
from harness.learning.spec import PrepareSpec, Trained, Trainer


def make_trainer(spec: PrepareSpec, base: Path | None, init: Path | None) -> Trainer:
    """A trainer, with its model built: ``base`` is the model's folder, ``init`` the tensors shipped once.

    Raises:
        UsageError: ``base`` is not a usable model folder.
        TrainerError: something that the method needs was not given.
    """
    if spec.train.trainer == "null":
        return NullTrainer(spec.train.null_noise)
    if base is None:
        raise TrainerError("the torch trainer needs a base model; none was given")
    from harness.learning.torch_trainer import TorchTrainer

    return TorchTrainer(spec, base, init)


class NullTrainer:
    """Sends back what it was given: a run with it measures the harness itself.

    With ``noise``, a standard deviation, it adds noise drawn from the task's seed, and the samples it reports differ:
    then the states of a run tell whether each update counted, and counted once.
    """

    def __init__(self, noise: float = 0.0) -> None:
        self._noise = noise
        self._seed = 0
        self._state: Path | None = None

    def load(self, state: Path, shard: Path, round: int = 1) -> None:
        """Remember where the state is; the shard is not read."""
        self._state = state

    def train(self, seed: int, round: int) -> Trained:
        """Nothing. One sample is reported, so that every client weighs the same; with noise, one to five."""
        self._seed = seed
        return Trained(samples=1 + seed % 5 if self._noise else 1, steps=0, tokens=0, loss=None)

    def save(self, update: Path) -> None:
        """Copy the state's bytes, or its tensors with noise."""
        if self._state is None:
            raise TrainerError("there is nothing to save before a state was loaded")
        if self._noise:
            _save_with_noise(self._state, update, self._noise, self._seed)
        else:
            copy_whole(self._state, update)


def _save_with_noise(path: Path, update: Path, noise: float, seed: int) -> None:
    import numpy as np

    from harness.learning.slices import SlicedState, slices, write_slices

    chance = np.random.default_rng(seed)
    with SlicedState(path) as state:
        noisy = (
            state.values(name, start, stop) + np.float32(noise) * chance.standard_normal(stop - start, dtype=np.float32)
            for name in sorted(state.shapes)
            for start, stop in slices(state.shapes[name])
        )
        write_slices(update, state.shapes, noisy)
