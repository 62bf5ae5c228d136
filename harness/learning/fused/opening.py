"""What the states and shards of several clients are, read for one batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from harness.errors import TrainerError
from harness.learning.corrections import control_of
from harness.learning.forms import CHANGE
from harness.learning.fused.learner import Given, Learner
from harness.learning.fused.task import LocalTask
from harness.learning.loading import LatestShards, Stamp, stamp_of
from harness.learning.network import Network
from harness.learning.spec import PrepareSpec
from harness.learning.tensors import opened_state


class Opening:
    """The states that clients are given in a round, put into a model one after another; each file is read once.

    What the model has in common afterwards are its frozen weights, which a method may change from round to round, for
    all clients alike. What the clients of the batch before were given stays, for those of the next one.
    """

    def __init__(self, network: Network, spec: PrepareSpec) -> None:
        self._network, self._spec, self._round = network, spec, 0
        self._shards = LatestShards(network.read)
        self._given: dict[Stamp | None, Given] = {}
        self._changes: Mapping[str, Tensor] | None = None

    def begin(self, round: int, states: Iterable[Path]) -> None:
        """A batch of ``round`` comes, with these states."""
        stamps = {stamp_of(state)[0] for state in states} - {None} if round == self._round else set()
        self._given = {stamp: given for stamp, given in self._given.items() if stamp in stamps}
        self._round = round
        if not self._given:
            self._changes = None

    def learner(self, number: int, task: LocalTask) -> Learner:
        """The client of a task, ready to be trained.

        Raises:
            BlobError: a file is not what it should be.
            TrainerError: the state or the shard does not fit the model, or the state not those opened before.
        """
        stamp, _ = stamp_of(task.state)
        given = self._given.get(stamp) if stamp else None
        if given is None:
            given = self._given[stamp] = self._read(task.state)
        return Learner(number, task, given, self._shards.read(task.shard), self._spec.train)

    def _read(self, state: Path) -> Given:
        attached = self._network.attached
        with opened_state(state) as tensors:
            changes = self._changes_of(state, tensors)
            attached.load(tensors, self._round)
            control = control_of(tensors) if self._spec.settings.scaffold else {}
        self._changes = changes
        return Given(
            tensors={name: tensor.detach().clone() for name, tensor in attached.trainable.items()},
            shapes={name: tensor.shape for name, tensor in attached.state().items()},
            control=control,
        )

    def _changes_of(self, state: Path, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """What a state changes the frozen weights by; seen to be what the others do."""
        names = {name for name in tensors if name.startswith(CHANGE)}
        if self._changes is None:
            return {name: tensors[name] for name in names}
        if names == self._changes.keys() and all(torch.equal(tensors[name], self._changes[name]) for name in names):
            return self._changes
        raise TrainerError(
            f"{state} changes the frozen weights in another way than the states of other clients of its batch; "
            "set simulation.fused_clients to 1"
        )
