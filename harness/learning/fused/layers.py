"""Layers of which every client has its own, in the places of those that one client trains."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.learning.fused.crew import Crew


class OwnLinear(nn.Module):
    """y = W_k x + b_k for the rows of each client k: x [b, ..., in], result [b, ..., out]."""

    def __init__(self, crew: Crew, weight: str, bias: str | None) -> None:
        super().__init__()
        self._crew, self._weight, self._bias = crew, weight, bias

    @property
    def weight(self) -> Tensor:
        """The weights of all clients; PEFT looks at their type."""
        return self._crew.tensors[self._weight]

    def forward(self, x: Tensor) -> Tensor:
        """The output: of one product for all clients where they have as many rows, else of one for each."""
        joint, weight = self._crew.joint, self._crew.own(self._weight)
        bias = None if self._bias is None else self._crew.own(self._bias)
        if not joint.even:
            return _by_client(x, joint.sizes, weight, bias)
        flat, turned = x.reshape(len(weight), -1, x.shape[-1]), weight.transpose(1, 2)
        made = torch.bmm(flat, turned) if bias is None else torch.baddbmm(bias[:, None], flat, turned)
        return made.view(*x.shape[:-1], weight.shape[1])


def give_each_its_own(model: PreTrainedModel, trainable: Mapping[str, nn.Parameter], crew: Crew) -> None:
    """Replace the layers that hold ``trainable``, by the names of a state, with such of which each client has its own.

    Raises:
        UsageError: such a layer is not a linear one.
    """
    names = {id(tensor): name for name, tensor in trainable.items()}
    for place, layer in list(model.named_modules(remove_duplicate=False)):
        own = {key: names.get(id(tensor)) for key, tensor in layer.named_parameters(recurse=False)}
        weight, bias = own.get("weight"), own.get("bias")
        if not any(own.values()):
            continue
        if type(layer) is not nn.Linear or weight is None or None in own.values():
            raise UsageError(
                f"clients cannot be trained as one batch with {place}, a {type(layer).__name__}: only linear layers "
                "are known to be each client's own; set simulation.fused_clients to 1"
            )
        model.set_submodule(place, OwnLinear(crew, weight, bias))


def _by_client(x: Tensor, sizes: list[int], weight: Tensor, bias: Tensor | None) -> Tensor:
    """Each client's rows through its own layer: a last step with fewer rows, say."""
    biases = [None] * len(sizes) if bias is None else bias.unbind()
    return torch.cat(
        [functional.linear(*one) for one in zip(torch.split(x, sizes), weight.unbind(), biases, strict=True)]
    )
