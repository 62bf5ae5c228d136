"""A checkpoint as a plain model and, for each adapted layer, what it adds to the pretrained weight."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel

from harness.errors import BlobError, TrainerError
from harness.learning.data.model_source import TOKENIZER_PATTERNS
from harness.learning.exporting.source import Source
from harness.learning.forms import SPARSE, A, B, kind_of
from harness.learning.models import build_model
from harness.learning.tensors import read_state

Factors = tuple[Tensor, Tensor]
"""B [d, n] and A [n, k]."""


def plain_model(source: Source) -> tuple[PreTrainedModel, dict[str, Tensor]]:
    """The pretrained encoder with the trained head (and whatever else is trained in place), and the checkpoint.

    Names of labels are in the model's config; adapted layers are as they were pretrained.

    Raises:
        UsageError: ``source.base`` is not a usable model folder.
        BlobError: the checkpoint is not safetensors.
        TrainerError: the checkpoint is of another model.
    """
    model = build_model(source.base, source.task, source.labels, head_seed=None)
    state = read_state(source.checkpoint)
    shapes = {name: tensor.shape for name, tensor in model.named_parameters()}
    for name, tensor in state.items():
        if kind_of(name) == "rest":
            if shapes.get(name) != tensor.shape:
                raise TrainerError(
                    f"tensor {name} of {source.checkpoint} does not fit the model in {source.base}; "
                    "give the folder of the run's own model with --models"
                )
            model.get_parameter(name).data.copy_(tensor)
    if source.label_names:
        model.config.id2label = dict(enumerate(source.label_names))
        model.config.label2id = {name: number for number, name in enumerate(source.label_names)}
    return model, state


def factors_of(source: Source, state: Mapping[str, Tensor]) -> dict[str, Factors]:
    """What each adapted layer adds to its pretrained weight, over s: B A, or B A - B0 A0 = [B, -B0] [A; A0].

    The second is of twice the rank; it is that of runs whose frozen weights are W - s B0 A0 (FeDeRA's start).

    Raises:
        BlobError: a factor is missing.
    """
    initial = read_state(source.initial) if source.residual_base else {}
    factors = {}
    for layer in sorted(name.removesuffix(B) for name in state if kind_of(name) == "B"):
        b, a = _pair(state, layer, source.checkpoint)
        if source.residual_base:
            b0, a0 = _pair(initial, layer, source.initial)
            b, a = torch.cat([b, -b0], dim=1), torch.cat([a, a0], dim=0)
        factors[layer] = b, a
    return factors


def sparse_layers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """SLoRA's first stage: the values at each layer's mask, by layer."""
    return {name.removesuffix(SPARSE): tensor for name, tensor in state.items() if kind_of(name) == "sparse"}


def copy_tokenizer(source: Source, out: Path) -> None:
    """Put the tokenizer's files into a folder."""
    for path in sorted({path for pattern in TOKENIZER_PATTERNS for path in source.tokenizer.glob(pattern)}):
        if path.is_file():
            shutil.copyfile(path, out / path.name)


def sort_lists(path: Path, *keys: str) -> None:
    """Write a JSON file again with these lists in it sorted, each word once: equal exports give equal bytes."""
    values = json.loads(path.read_text(encoding="utf-8"))
    for key in keys:
        values[key] = sorted(set(values[key]))
    path.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _pair(state: Mapping[str, Tensor], layer: str, path: Path) -> Factors:
    """A layer's factors in float32."""
    try:
        return state[layer + B], state[layer + A]
    except KeyError as error:
        raise BlobError(
            f"{path} lacks the factor {error.args[0]}; the run folder is not whole, export another"
        ) from None
