"""FedLR and FeDeRA: LoRA on the query and value projections (FeDeRA, eq. 5 and 14-18), through PEFT.

h = W x + s B A x with W [d, k], B [d, r], A [r, k], s = alpha / r. FedLR starts with B = 0. FeDeRA starts with the
principal factors of W and freezes W_res = W - s B0 A0 in W's place, so that the output is unchanged at first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.errors import TrainerError
from harness.learning.architectures import lora_layers
from harness.learning.methods.svd import principal_factors
from harness.learning.spec import PrepareSpec

# PEFT's name of an adapter; it stands in its tensors' names, and not in ours.
_ADAPTER = "default"


def insert(model: PreTrainedModel, spec: PrepareSpec, init: Mapping[str, Tensor] | None) -> dict[str, nn.Parameter]:
    """FedLR: put A and B into each adapted layer, both zero until a state is loaded.

    Raises:
        UsageError: it is not known which layers to adapt.
    """
    layers = lora_layers(model, spec.modules)
    config = LoraConfig(
        r=spec.settings.rank,
        lora_alpha=spec.settings.alpha,  # type: ignore[arg-type]  # PEFT says int, and divides it by r
        target_modules=list(layers),
        lora_dropout=0.0,
        bias="none",
    )
    with torch.random.fork_rng(devices=[]):
        inject_adapter_in_model(config, model, adapter_name=_ADAPTER)
    trained: dict[str, nn.Parameter] = {}
    for layer in layers:
        for part in ("lora_A", "lora_B"):
            tensor = model.get_parameter(f"{layer}.{part}.{_ADAPTER}.weight")
            nn.init.zeros_(tensor)
            trained[f"{layer}.{part}.weight"] = tensor
    return trained


def insert_principal(
    model: PreTrainedModel, spec: PrepareSpec, init: Mapping[str, Tensor] | None
) -> dict[str, nn.Parameter]:
    """FeDeRA: A = A0, B = B0, and W_res in W's place. ``init`` may hold other tensors beside the factors.

    Raises:
        TrainerError: ``init`` lacks a factor, or one of another rank or model.
    """
    if init is None:
        raise TrainerError("federa needs the server's initial factors A0 and B0; none were given")
    trained = insert(model, spec, None)
    scale = spec.settings.alpha / spec.settings.rank
    for name, parameter in trained.items():
        if name not in init or init[name].shape != parameter.shape:
            raise TrainerError(
                f"federa's initial factors have no {name} of shape {list(parameter.shape)}; ship them again"
            )
        parameter.data.copy_(init[name])
    for layer in {name.rpartition(".lora_")[0] for name in trained}:
        weight = model.get_parameter(f"{layer}.base_layer.weight")
        _subtract(weight, init[f"{layer}.lora_B.weight"], init[f"{layer}.lora_A.weight"], scale)
    return trained


def principal_init(model: PreTrainedModel, spec: PrepareSpec) -> dict[str, Tensor]:
    """A0 and B0 of each adapted layer of a bare model: the one place where an SVD is taken.

    Raises:
        UsageError: it is not known which layers to adapt, or the rank is above what one of them has.
    """
    scale = spec.settings.alpha / spec.settings.rank
    factors: dict[str, Tensor] = {}
    for name, layer in lora_layers(model, spec.modules).items():
        b0, a0 = principal_factors(layer.weight, spec.settings.rank, scale, name)
        factors |= {f"{name}.lora_A.weight": a0, f"{name}.lora_B.weight": b0}
    return factors


@torch.no_grad()
def draw(trained: Mapping[str, Tensor], source: torch.Generator) -> None:
    """FedLR's initial values: A as PEFT draws it (Kaiming uniform), B zero, in the order of their names."""
    for name, tensor in sorted(trained.items()):
        if name.endswith(".lora_A.weight"):
            nn.init.kaiming_uniform_(tensor, a=math.sqrt(5), generator=source)


@torch.no_grad()
def _subtract(weight: Tensor, b0: Tensor, a0: Tensor, scale: float) -> None:
    """weight -= scale * b0 @ a0, in float64: W_res is then W to half a unit in the last place, on any machine."""
    part = b0.to(weight.device, torch.float64) @ a0.to(weight.device, torch.float64)
    weight.copy_(weight.to(torch.float64) - scale * part)
