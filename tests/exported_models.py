"""Checkpoints of small encoders as sources of an export, beside our own network that has read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import torch
from encoders import LABELS, VOCABULARY, write_encoder
from torch import Tensor
from transformers import PreTrainedModel

from harness.learning.exporting import Source
from harness.learning.forms import CHANGE, form_of, kind_of
from harness.learning.methods import initial_state
from harness.learning.network import Network
from harness.learning.reach import scores_of
from harness.learning.spec import PrepareSpec
from harness.learning.tensors import read_state, write_state
from harness.profiles import Method, MethodProfile, TaskName, TrainProfile

NAMES = ("north", "east", "south", "west")
TOLERANCE = 1e-4


def made(
    folder: Path,
    method: Method,
    architecture: str = "bert",
    task: TaskName = "text-classification",
    round: int = 1,
    base: Path | None = None,
    **settings: Any,
) -> tuple[Source, Network]:
    """A checkpoint after ``round`` with random steps from the initial one, rank 4 at alpha 8, and our network of it."""
    base = base or write_encoder(folder / "base", architecture)
    labels = 2 if task == "question-answering" else LABELS
    profile = MethodProfile(**({"rank": 4, "alpha": 8.0} | settings))
    spec = PrepareSpec(
        method=method, task=task, settings=profile, train=TrainProfile(), labels=labels, threads=1, seed=3
    )
    initial = initial_state(base, spec, 3)
    write_state(folder / "initial.safetensors", initial.state)
    write_state(folder / "checkpoint.safetensors", _checkpoint(base, spec, initial.state, initial.layers, round))
    network = Network(base, spec, folder / "initial.safetensors")
    network.attached.load(read_state(folder / "checkpoint.safetensors"), round + 1)
    network.model.train(False)
    source = Source(
        checkpoint=folder / "checkpoint.safetensors",
        initial=folder / "initial.safetensors",
        round=round,
        method=method,
        settings=profile,
        seed=3,
        base=base,
        tokenizer=base,
        base_name=str(base),
        task=task,
        modules=spec.modules,
        labels=labels,
        label_names=() if task == "question-answering" else NAMES,
    )
    return source, network


@torch.no_grad()
def scores(model: PreTrainedModel, task: TaskName) -> Tensor:
    """What a model says of three texts, the last one padded."""
    ids = torch.randint(5, VOCABULARY, (3, 12), generator=torch.Generator().manual_seed(7))
    mask = torch.ones_like(ids)
    mask[2, 6:] = 0
    return scores_of(model(input_ids=ids, attention_mask=mask), task)


def _checkpoint(
    base: Path, spec: PrepareSpec, start: dict[str, Tensor], layers: dict[str, tuple[int, int]], round: int
) -> dict[str, Tensor]:
    """What the server would hold: tensors of the kinds of its form, a step away from where they began."""
    form = form_of(spec.method, spec.settings, round + 1)
    if "sparse" not in form.given and any(kind_of(name) == "sparse" for name in start):
        # Behind SLoRA's first stage stand factors.
        start = initial_state(base, msgspec.structs.replace(spec, method="fedlr"), 3).state
    gone = {"A", "B"} if form.fresh else set()
    source = torch.Generator().manual_seed(1)
    state = {
        name: tensor + 0.05 * torch.randn(tensor.shape, generator=source)
        for name, tensor in start.items()
        if kind_of(name) not in gone
    }
    if form.change:
        state |= {CHANGE + name: 0.05 * torch.randn(shape, generator=source) for name, shape in layers.items()}
    return state
