"""Pretrained encoders with a fresh classification head, and what the methods must know about their architectures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel
from transformers.utils import logging

from harness.errors import UsageError
from harness.learning.seeding import generator


@dataclass(frozen=True)
class BottleneckSite:
    """Where a Houlsby adapter goes: in each module whose name ends in ``block``, after its part ``after``.

    The output of ``after`` is the sublayer's output, before the residual add and the layer norm.
    """

    block: str
    after: str


@dataclass(frozen=True)
class Architecture:
    """Names inside one model family: attention projections, the head, adapter sites, and the width's config key."""

    query: str
    value: str
    head: tuple[str, ...]
    sites: tuple[BottleneckSite, ...]
    width: str = "hidden_size"
    sdpa: bool = True


# Both "attention.output" and the feed-forward "output": dense, dropout, then LayerNorm of the sum.
_BERT_SITES = (BottleneckSite(".output", "dropout"),)
_ARCHITECTURES = {
    "bert": Architecture("query", "value", ("bert.pooler.", "classifier."), _BERT_SITES),
    "roberta": Architecture("query", "value", ("classifier.",), _BERT_SITES),
    "distilbert": Architecture(
        "q_lin",
        "v_lin",
        ("pre_classifier.", "classifier."),
        (BottleneckSite(".attention", "out_lin"), BottleneckSite(".ffn", "dropout")),
        width="dim",
    ),
    "deberta-v2": Architecture("query_proj", "value_proj", ("pooler.", "classifier."), _BERT_SITES, sdpa=False),
}


def architecture_of(config: Any) -> Architecture:
    """The description of a transformers config's architecture.

    Raises:
        UsageError: the architecture is none of the known ones.
    """
    found = _ARCHITECTURES.get(config.model_type)
    if found is None:
        known = ", ".join(sorted(_ARCHITECTURES))
        raise UsageError(f"model type '{config.model_type}' is not known; use an encoder of one of: {known}")
    return found


def head_names(model: PreTrainedModel) -> set[str]:
    """Names of the head's parameters: new, trained and averaged in every method. BERT's pooler belongs to it."""
    prefixes = architecture_of(model.config).head
    return {name for name, _ in model.named_parameters() if name.startswith(prefixes)}


def build_classifier(base: Path, labels: int, head_seed: int | None) -> PreTrainedModel:
    """The encoder of folder ``base`` in float32, with a head of ``labels`` classes, on the processor.

    What ``base`` lacks of the head is drawn from ``head_seed``: weights normal(0, initializer_range), biases zero;
    all zero without a seed, for those who load a state at once. Neither network nor global randomness is used.

    Raises:
        UsageError: ``base`` is not a folder with config.json and model.safetensors of a known architecture.
    """
    config = _config_of(base)
    architecture = architecture_of(config)
    config.num_labels = labels
    # On a GPU the backward pass of fused attention is not deterministic.
    attention = "sdpa" if architecture.sdpa and not torch.cuda.is_available() else "eager"
    model: PreTrainedModel
    try:
        with _quiet(), torch.random.fork_rng(devices=[]):
            model, report = AutoModelForSequenceClassification.from_pretrained(
                base,
                config=config,
                dtype=torch.float32,
                attn_implementation=attention,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise UsageError(f"{base} holds no readable weights ({_first_line(error)}); get the model again") from None
    missing = set(report["missing_keys"])
    if lacking := missing - head_names(model):
        raise UsageError(f"{base} lacks the weights {', '.join(sorted(lacking)[:3])}; it is not a whole encoder")
    _draw_head({name: model.get_parameter(name) for name in sorted(missing)}, config, head_seed)
    return model


def _config_of(base: Path) -> Any:
    for name in ("config.json", "model.safetensors"):
        if not (base / name).is_file():
            raise UsageError(f"{base} has no {name}; a model folder needs config.json and model.safetensors")
    try:
        return AutoConfig.from_pretrained(base, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{base / 'config.json'} cannot be read ({_first_line(error)}); get the model again") from None


@torch.no_grad()
def _draw_head(head: dict[str, nn.Parameter], config: Any, head_seed: int | None) -> None:
    """Fill new head tensors, in the order of their names."""
    source = None if head_seed is None else generator(head_seed, "head")
    for tensor in head.values():
        if source is None or tensor.dim() == 1:
            tensor.zero_()
        else:
            tensor.normal_(0.0, config.initializer_range, generator=source)


def parameter_count(tensors: dict[str, Tensor] | dict[str, nn.Parameter]) -> int:
    """Scalars in all tensors together."""
    return sum(tensor.numel() for tensor in tensors.values())


def pad_id_of(config: Any) -> int:
    """The padding token's id; 0 where the config names none."""
    return int(config.pad_token_id or 0)


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar and no talk of new head weights while a model loads: here they are expected."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
