"""What the methods share: which tensors of a model are trained, under which names they travel, how many they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.errors import TrainerError
from harness.learning.forms import CHANGE, CONTROL, SERVER, Form, Kind, form_of, kind_of
from harness.learning.methods.adapted import Adapted
from harness.learning.spec import PrepareSpec
from harness.records import Parameters

# Puts what a method trains beside the head into a model, and answers with it by plain name.
Insert = Callable[[PreTrainedModel, PrepareSpec], dict[str, nn.Parameter]]

_OF_OTHERS = (CONTROL, SERVER)
_FACTORS: tuple[Kind, ...] = ("A", "B")


class Attached:
    """A model with a method attached.

    ``trainable``: all that a round may train, head included, sorted by name; ``trained``: what the round trains whose
    state was loaded last. ``adapted`` is None of a method without low-rank factors.
    """

    def __init__(
        self, spec: PrepareSpec, trainable: dict[str, nn.Parameter], adapted: Adapted | None, parameters: Parameters
    ) -> None:
        self.trainable = self.trained = trainable
        self.adapted = adapted
        self.parameters = parameters
        self._spec = spec
        self._kinds = {name: kind_of(name) for name in trainable}
        self._shapes: dict[str, torch.Size] = {}

    @torch.no_grad()
    def load(self, state: Mapping[str, Tensor], round: int = 1) -> None:
        """Make the model what it is at the beginning of ``round``, given ``state``.

        Factors of a lower rank are filled up with zeros: their gradients are zero, and they stay so. Of tensors that
        no model holds, the change of the frozen weights alone is looked at.

        Raises:
            TrainerError: the names or shapes of ``state`` are not those of this method, model and round.
        """
        form = form_of(self._spec.method, self._spec.settings, round)
        self._check_names(state, form)
        if self.adapted is not None:
            self.adapted.begin(form, round, _changes(state, self.adapted.layers))
        self.trained = {name: tensor for name, tensor in self.trainable.items() if self._kinds[name] in form.trained}
        self._shapes = {}
        for name, parameter in self.trainable.items():
            if name in state:
                self._put(name, parameter, state[name])  # once: it may be read from a file for this
            parameter.requires_grad_(name in self.trained)

    @torch.no_grad()
    def overlay(self, update: Mapping[str, Tensor]) -> None:
        """Put what a client trained in the loaded round over what it was given.

        Raises:
            TrainerError: ``update`` is not one of this method, model and round.
        """
        if faulty := self.trained.keys() ^ {name for name in update if kind_of(name) is not None}:
            name = min(faulty)
            fault = "lacks" if name in self.trained else "has the unknown"
            raise TrainerError(f"the update {fault} tensor {name}; it was made for another method, model or round")
        for name, parameter in self.trained.items():
            self._put(name, parameter, update[name])

    def state(self) -> dict[str, Tensor]:
        """Copies of what the loaded round trains, of the ranks that were loaded, float32, on the processor."""
        return {name: _copy(_part(tensor, self._shapes.get(name))) for name, tensor in self.trained.items()}

    def _check_names(self, state: Mapping[str, Tensor], form: Form) -> None:
        """See that a state has what the round is given, and nothing that is not this model's."""
        needed = {name for name, kind in self._kinds.items() if kind in form.given}
        # A checkpoint has both factors, whatever of them travels.
        kinds = form.given if "sparse" in form.given else form.given.union(_FACTORS)
        known = {name for name, kind in self._kinds.items() if kind in kinds}
        if form.change and self.adapted is not None:
            known |= {CHANGE + layer for layer in self.adapted.layers}
        names = {name for name in state if not name.startswith(_OF_OTHERS)}
        if faulty := (needed - names) | (names - known):
            name = min(faulty)
            fault = "lacks" if name in needed else "has the unknown"
            raise TrainerError(f"the state {fault} tensor {name}; it was made for another method or model")

    def _put(self, name: str, parameter: nn.Parameter, tensor: Tensor) -> None:
        if tensor.shape == parameter.shape:
            parameter.copy_(tensor)
            return
        part = _part(parameter, tensor.shape) if self._spec.settings.ranks else parameter
        inner = {"A": 0, "B": 1}.get(self._kinds[name] or "")
        if part.shape != tensor.shape or inner is None or part.shape[1 - inner] != parameter.shape[1 - inner]:
            raise _misfit(name, tensor, parameter.shape)
        parameter.zero_()
        part.copy_(tensor)
        self._shapes[name] = tensor.shape


@dataclass(frozen=True)
class InitialState:
    """The checkpoint a run begins with; ``svd_s`` is what FeDeRA's decomposition took, warmed up; else 0.

    ``positions``: how many tokens a row of this model may have; None where there is no limit. ``first``: the tensors
    shipped once, before the first round; of federa the whole state, None where clients need none. ``layers``: [d, k]
    of each adapted weight, by name; empty of a method without low-rank factors.
    """

    state: dict[str, Tensor]
    svd_s: float
    parameters: Parameters
    positions: int | None
    first: dict[str, Tensor] | None = None
    layers: dict[str, tuple[int, int]] = field(default_factory=dict)


def copies(tensors: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
    """Copies of these tensors, float32, on the processor, sorted by name."""
    return {name: _copy(tensors[name]) for name in sorted(names)}


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32, copy=True)


def _changes(state: Mapping[str, Tensor], layers: Mapping[str, tuple[int, int]]) -> dict[str, Tensor]:
    """The change of the frozen weights that a state tells, by layer."""
    changes = {name.removeprefix(CHANGE): state[name] for name in state if name.startswith(CHANGE)}
    for layer, change in changes.items():
        if change.shape != layers[layer]:
            raise _misfit(CHANGE + layer, change, layers[layer])
    return changes


def _misfit(name: str, tensor: Tensor, wanted: Iterable[int]) -> TrainerError:
    shapes = f"{list(tensor.shape)} instead of {list(wanted)}"
    return TrainerError(f"tensor {name} of the state is {shapes}; it was made for another method or model")


def _part(tensor: Tensor, shape: torch.Size | None) -> Tensor:
    """The first rows and columns of a matrix, as many as ``shape`` says; the tensor itself without one."""
    if shape is None or len(shape) != tensor.dim():
        return tensor
    return tensor[tuple(slice(size) for size in shape)]
