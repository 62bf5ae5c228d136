"""FedAP: Houlsby bottlenecks, two in each layer (FeDeRA 5.1; the adapters library's DoubleSeqBnConfig)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.learning.architectures import adapter_sites
from harness.learning.spec import PrepareSpec

WEIGHT_STD = 0.02


class Bottleneck(nn.Module):
    """x + up(swish(down(x))). Shapes: x [..., width], down [bottleneck, width], up [width, bottleneck].

    All tensors start at zero, so that the model's output stays as it was until a state is loaded.
    """

    def __init__(self, width: int, bottleneck: int, device: torch.device) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            self.down = nn.Linear(width, bottleneck, device=device)
            self.up = nn.Linear(bottleneck, width, device=device)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """The adapted x, of the same shape."""
        adapted: Tensor = x + self.up(functional.silu(self.down(x)))
        return adapted

    def after(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        """A forward hook: adapts what ``module`` gave."""
        return self.forward(output)


def insert(model: PreTrainedModel, spec: PrepareSpec) -> dict[str, nn.Parameter]:
    """Put bottlenecks of width // reduction into each layer; answers with their tensors.

    Raises:
        UsageError: the reduction leaves no width, or it is not known where adapters go.
    """
    width, reduction = int(model.config.hidden_size), spec.settings.reduction
    if width < reduction:
        raise UsageError(f"fedap: reduction {reduction} is above the model's width {width}; lower it")
    trained: dict[str, nn.Parameter] = {}
    for name, block, part in adapter_sites(model, spec.modules):
        if hasattr(block, "adapter"):
            raise UsageError(f"modules.adapters: {name} would get two adapters; name a block for each")
        bottleneck = Bottleneck(width, width // reduction, model.device)
        block.add_module("adapter", bottleneck)
        part.register_forward_hook(bottleneck.after)
        trained |= {f"{name}.adapter.{part}": tensor for part, tensor in bottleneck.named_parameters()}
    return trained


@torch.no_grad()
def draw(trained: Mapping[str, Tensor], source: torch.Generator) -> None:
    """Initial values: weights normal(0, 0.02), biases zero, in the order of their names."""
    for name, tensor in sorted(trained.items()):
        if name.endswith(".weight"):
            tensor.normal_(0.0, WEIGHT_STD, generator=source)
