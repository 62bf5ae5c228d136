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
        return NullTrainer()
    if base is None:
        raise TrainerError("the torch trainer needs a base model; none was given")
    from harness.learning.torch_trainer import TorchTrainer

    return TorchTrainer(spec, base, init)


class NullTrainer:
    """Sends back what it was given: a run with it measures the harness itself."""

    def __init__(self) -> None:
        self._state: Path | None = None

    def load(self, state: Path, shard: Path) -> None:
        """Remember where the state is; the shard is not read."""
        self._state = state

    def train(self, seed: int, round: int) -> Trained:
        """Nothing; one sample is reported, so that every client weighs the same."""
        return Trained(samples=1, steps=0, tokens=0, loss=None)

    def save(self, update: Path) -> None:
        """Copy the state's bytes."""
        if self._state is None:
            raise TrainerError("there is nothing to save before a state was loaded")
        copy_whole(self._state, update)
