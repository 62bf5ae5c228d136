"""A checkpoint as a whole model of transformers, with all that was learned in its weights."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from harness.errors import UsageError
from harness.learning.exporting.source import Source, refusal
from harness.learning.exporting.weights import copy_tokenizer, factors_of, plain_model, sparse_layers
from harness.learning.forms import CHANGE
from harness.learning.models import quiet
from harness.learning.sparse import mask


def write_merged(source: Source, out: Path) -> None:
    """Write config.json, model.safetensors (float32) and the tokenizer's files into the folder ``out``.

    An adapted layer becomes W + change + s B A (- s B0 A0), in SLoRA's first stage W with its values added at the
    mask; summed in float64, rounded once.

    Raises:
        UsageError: there is no such model (see :func:`harness.learning.exporting.source.refusal`).
        BlobError: a checkpoint is not what it should be.
        TrainerError: the checkpoint is of another model.
    """
    if fault := refusal(source.method, source.checkpoint, "merged"):
        raise UsageError(fault)
    model, state = plain_model(source)
    added: dict[str, Tensor] = {
        name.removeprefix(CHANGE): change.to(torch.float64) for name, change in state.items() if name.startswith(CHANGE)
    }
    for layer, (b, a) in factors_of(source, state).items():
        product = source.scale * (b.to(torch.float64) @ a.to(torch.float64))
        added[layer] = added[layer] + product if layer in added else product
    for layer, values in sparse_layers(state).items():
        shape = tuple(model.get_parameter(f"{layer}.weight").shape)
        places = torch.from_numpy(mask(source.seed, layer, (shape[0], shape[1]), source.settings.density))
        added[layer] = torch.zeros(shape, dtype=torch.float64)
        added[layer].view(-1)[places] = values.to(torch.float64)
    for layer, change in added.items():
        weight = model.get_parameter(f"{layer}.weight")
        weight.data.copy_(weight.data.to(torch.float64) + change)
    with quiet():
        model.save_pretrained(out)
    copy_tokenizer(source, out)
