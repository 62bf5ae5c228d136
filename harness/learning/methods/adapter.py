"""FedAP: Houlsby bottlenecks, two in each layer (FeDeRA 5.1; the adapters library's DoubleSeqBnConfig)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.learning.models import BottleneckSite, architecture_of
from harness.profiles import MethodProfile

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


def insert(
    model: PreTrainedModel, settings: MethodProfile, init: Mapping[str, Tensor] | None
) -> dict[str, nn.Parameter]:
    """Put bottlenecks of width // reduction into each layer; answers with their tensors.

    Raises:
        UsageError: the reduction leaves no width.
    """
    architecture = architecture_of(model.config)
    width = int(getattr(model.config, architecture.width))
    if width < settings.reduction:
        raise UsageError(f"fedap: reduction {settings.reduction} is above the model's width {width}; lower it")
    trained: dict[str, nn.Parameter] = {}
    for name, block, site in _sites(model):
        bottleneck = Bottleneck(width, width // settings.reduction, model.device)
        block.add_module("adapter", bottleneck)
        block.get_submodule(site.after).register_forward_hook(bottleneck.after)
        trained |= {f"{name}.adapter.{part}": tensor for part, tensor in bottleneck.named_parameters()}
    return trained


@torch.no_grad()
def draw(trained: Mapping[str, Tensor], source: torch.Generator) -> None:
    """Initial values: weights normal(0, 0.02), biases zero, in the order of their names."""
    for name, tensor in sorted(trained.items()):
        if name.endswith(".weight"):
            tensor.normal_(0.0, WEIGHT_STD, generator=source)


def _sites(model: PreTrainedModel) -> list[tuple[str, nn.Module, BottleneckSite]]:
    """Name, module and site of each block that gets a bottleneck."""
    sites = architecture_of(model.config).sites
    return [
        (name, module, site) for name, module in model.named_modules() for site in sites if name.endswith(site.block)
    ]
