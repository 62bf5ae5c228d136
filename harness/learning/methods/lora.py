"""LoRA on the query and value projections (FeDeRA, eq. 5 and 14-18), through PEFT: of every method with such factors.

h = W x + s B A x with W [d, k], B [d, r], A [r, k], s = alpha / r. The Gaussian start has B = 0. FeDeRA's start has the
principal factors of W and freezes W_res = W - s B0 A0 in W's place, so that the output is unchanged at first.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.errors import TrainerError
from harness.learning.architectures import lora_layers
from harness.learning.forms import A, B, of_kinds, ships_first
from harness.learning.methods.adapted import Adapted, drawn
from harness.learning.methods.frozen import FrozenWeights, subtract
from harness.learning.methods.sparse_layer import SparseLinear
from harness.learning.methods.stages import stages_of
from harness.learning.methods.svd import factors_of_all
from harness.learning.seeding import generator
from harness.learning.sparse import mask
from harness.learning.spec import PrepareSpec

# PEFT's name of an adapter; it stands in its tensors' names, and not in ours.
_ADAPTER = "default"


def insert(model: PreTrainedModel, spec: PrepareSpec, init: Mapping[str, Tensor] | None) -> Adapted:
    """Put A and B into each adapted layer: those of ``init`` that are shipped once, zero the others.

    ``init`` may hold other tensors beside those. Where no round has another frozen weight than the first one's, it is
    written in place; else W0 is kept beside it.

    Raises:
        UsageError: it is not known which layers to adapt.
        TrainerError: ``init`` lacks a factor, or has one of another rank or model.
    """
    layers = lora_layers(model, spec.modules)
    shapes = {name: (layer.out_features, layer.in_features) for name, layer in layers.items()}
    weights = {name: layer.get_parameter("weight") for name, layer in layers.items()}
    _inject(model, list(layers), spec)
    factors = _factors_of(model, shapes)
    shipped = _shipped(spec, init, factors)
    for name, tensor in shipped.items():
        factors[name].data.copy_(tensor)
    scale = spec.settings.alpha / spec.settings.rank
    stages, frozen = stages_of(spec), None
    if any(form.change for form in stages) or len({form.residual_base for form in stages}) > 1:
        frozen = FrozenWeights(weights, shipped, scale)
    elif stages[0].residual_base:
        for name, weight in weights.items():
            subtract(weight, shipped[name + B], shipped[name + A], scale)
    sparse = _sparse_layers(model, layers, spec) if "sparse" in stages[0].given else {}
    return Adapted(spec, factors, shapes, shipped if frozen else {}, frozen, sparse)


def gaussian_init(model: PreTrainedModel, spec: PrepareSpec, seed: int) -> dict[str, Tensor]:
    """A and B of the Gaussian start: A as PEFT draws it, from ``seed``, the same for every method; B zero.

    Raises:
        UsageError: it is not known which layers to adapt.
    """
    shapes = {name: (layer.out_features, layer.in_features) for name, layer in lora_layers(model, spec.modules).items()}
    return drawn(shapes, spec.settings.rank, generator(seed, "fedlr"))


def principal_init(model: PreTrainedModel, spec: PrepareSpec) -> dict[str, Tensor]:
    """A0 and B0 of each adapted layer of a bare model: the one place where an SVD of W is taken.

    Raises:
        UsageError: it is not known which layers to adapt, or the rank is above what one of them has.
    """
    scale = spec.settings.alpha / spec.settings.rank
    weights: dict[str, Tensor] = {name: layer.weight for name, layer in lora_layers(model, spec.modules).items()}
    made = factors_of_all(weights, spec.settings.rank, scale)
    return {name + part: factor for name, (b0, a0) in made.items() for part, factor in ((A, a0), (B, b0))}


def _inject(model: PreTrainedModel, layers: list[str], spec: PrepareSpec) -> None:
    config = LoraConfig(
        r=spec.settings.rank,
        lora_alpha=spec.settings.alpha,  # type: ignore[arg-type]  # PEFT says int, and divides it by r
        target_modules=layers,
        lora_dropout=0.0,
        bias="none",
    )
    with torch.random.fork_rng(devices=[]):
        inject_adapter_in_model(config, model, adapter_name=_ADAPTER)


def _factors_of(model: PreTrainedModel, layers: Mapping[str, object]) -> dict[str, nn.Parameter]:
    """The factors in the model, zero, by the names of a state."""
    factors: dict[str, nn.Parameter] = {}
    for layer in layers:
        for part in ("lora_A", "lora_B"):
            tensor = model.get_parameter(f"{layer}.{part}.{_ADAPTER}.weight")
            nn.init.zeros_(tensor)
            factors[f"{layer}.{part}.weight"] = tensor
    return factors


def _shipped(spec: PrepareSpec, init: Mapping[str, Tensor] | None, factors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of ``init`` that the method ships once."""
    wanted = of_kinds(factors, ships_first(spec.method, spec.settings))
    if not wanted:
        return {}
    if init is None:
        raise TrainerError(f"{spec.method} needs the server's initial factors; none were given")
    for name in wanted:
        if name not in init or init[name].shape != factors[name].shape:
            shape = list(factors[name].shape)
            raise TrainerError(f"{spec.method}'s initial factors have no {name} of shape {shape}; ship them again")
    return {name: init[name] for name in wanted}


def _sparse_layers(
    model: PreTrainedModel, layers: Mapping[str, nn.Linear], spec: PrepareSpec
) -> dict[str, SparseLinear]:
    """A layer with some trained weights below each pair of factors; all clients draw the same places."""
    sparse = {}
    for name, layer in layers.items():
        shape = (layer.out_features, layer.in_features)
        places = mask(spec.seed, name, shape, spec.settings.density)
        sparse[name] = SparseLinear(layer, torch.from_numpy(places))
        model.get_submodule(name).base_layer = sparse[name]
    return sparse
