"""What the methods share: which tensors of a model are trained, under which names they travel, how many they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.errors import TrainerError
from harness.learning.spec import PrepareSpec
from harness.records import Parameters

# Puts what a method trains beside the head into a model, and answers with it by plain name. The last argument: the
# factors shipped once, for the method that has some.
Insert = Callable[[PreTrainedModel, PrepareSpec, "Mapping[str, Tensor] | None"], dict[str, nn.Parameter]]


@dataclass(frozen=True)
class Attached:
    """A model with a method attached. ``trainable``: what is trained and sent, head included, sorted by name."""

    trainable: dict[str, nn.Parameter]
    parameters: Parameters

    @torch.no_grad()
    def load(self, state: Mapping[str, Tensor]) -> None:
        """Overwrite every trainable tensor.

        Raises:
            TrainerError: the names or shapes of ``state`` are not those of this method and model.
        """
        if state.keys() != self.trainable.keys():
            name = min(state.keys() ^ self.trainable.keys())
            fault = "lacks" if name in self.trainable else "has the unknown"
            raise TrainerError(f"the state {fault} tensor {name}; it was made for another method or model")
        for name, parameter in self.trainable.items():
            tensor = state[name]  # once: it may be read from a file for this
            if tensor.shape != parameter.shape:
                shapes = f"{list(tensor.shape)} instead of {list(parameter.shape)}"
                raise TrainerError(f"tensor {name} of the state is {shapes}; it was made for another method or model")
            parameter.copy_(tensor)

    def state(self) -> dict[str, Tensor]:
        """Copies of the trainable tensors, float32, on the processor."""
        return {name: tensor.detach().to("cpu", torch.float32, copy=True) for name, tensor in self.trainable.items()}


@dataclass(frozen=True)
class InitialState:
    """The state a run begins with; ``svd_s`` is what FeDeRA's decomposition took, warmed up; else 0.

    ``positions``: how many tokens a row of this model may have; None where there is no limit.
    """

    state: dict[str, Tensor]
    svd_s: float
    parameters: Parameters
    positions: int | None
