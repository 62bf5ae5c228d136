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
from harness.learning.methods.svd import principal_factors
from harness.learning.models import architecture_of
from harness.profiles import MethodProfile

# PEFT's name of an adapter; it stands in its tensors' names, and not in ours.
_ADAPTER = "default"


def insert(
    model: PreTrainedModel, settings: MethodProfile, init: Mapping[str, Tensor] | None
) -> dict[str, nn.Parameter]:
    """FedLR: put A and B into each query and value projection, both zero until a state is loaded."""
    layers = _projections(model)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # PEFT says int, and divides it by r
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
    model: PreTrainedModel, settings: MethodProfile, init: Mapping[str, Tensor] | None
) -> dict[str, nn.Parameter]:
    """FeDeRA: A = A0, B = B0, and W_res in W's place. ``init`` may hold other tensors beside the factors.

    Raises:
        TrainerError: ``init`` lacks a factor, or one of another rank or model.
    """
    if init is None:
        raise TrainerError("federa needs the server's initial factors A0 and B0; none were given")
    trained = insert(model, settings, None)
    scale = settings.alpha / settings.rank
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


def principal_init(model: PreTrainedModel, settings: MethodProfile) -> dict[str, Tensor]:
    """A0 and B0 of each query and value projection of a bare model: the one place where an SVD is taken.

    Raises:
        UsageError: the rank is above what a projection has.
    """
    scale = settings.alpha / settings.rank
    factors: dict[str, Tensor] = {}
    for layer, weight in _projections(model).items():
        b0, a0 = principal_factors(weight, settings.rank, scale, layer)
        factors |= {f"{layer}.lora_A.weight": a0, f"{layer}.lora_B.weight": b0}
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


def _projections(model: PreTrainedModel) -> dict[str, Tensor]:
    """Weights of the query and value projections, by their module's name, sorted."""
    architecture = architecture_of(model.config)
    endings = (f".{architecture.query}.weight", f".{architecture.value}.weight")
    found = {
        name.removesuffix(".weight"): weight for name, weight in model.named_parameters() if name.endswith(endings)
    }
    return dict(sorted(found.items()))
