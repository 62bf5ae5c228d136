"""Pretrained encoders with a fresh head for a task."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import (
    MODEL_FOR_QUESTION_ANSWERING_MAPPING,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING,
    AutoConfig,
    PreTrainedModel,
)
from transformers.utils import logging

from harness.errors import UsageError
from harness.learning.architectures import in_encoder
from harness.learning.reach import freeze_unreached
from harness.learning.seeding import generator
from harness.profiles import TaskName

# Transformers' class of a model with a task head, by its config's class.
_CLASSES: dict[TaskName, Any] = {
    "text-classification": MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    "token-classification": MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING,
    "question-answering": MODEL_FOR_QUESTION_ANSWERING_MAPPING,
}


def build_model(base: Path, task: TaskName, labels: int, head_seed: int | None) -> PreTrainedModel:
    """The encoder of folder ``base`` in float32, with a head of ``labels`` outputs for ``task``, on the processor.

    What ``base`` lacks of the head, or has in another size, is drawn from ``head_seed``: weights normal(0,
    initializer_range), biases zero; all zero without a seed, for those who load a state at once. Parameters that the
    task's outputs do not depend on are frozen: no method trains or sends them. Neither network nor global randomness
    is used.

    Raises:
        UsageError: ``base`` is not a folder with config.json and model.safetensors of an encoder with such a head.
    """
    config = _config_of(base)
    config.num_labels = labels
    model, missing = _load(base, config, _class_of(config, task))
    freeze_unreached(model, task)
    head = head_names(model)
    needed = {name for name, tensor in model.named_parameters() if tensor.requires_grad}
    if lacking := (missing & needed) - head:
        raise UsageError(
            f"{base} lacks the weights {', '.join(sorted(lacking)[:3])}, or has them in other sizes; "
            "it is not a whole encoder"
        )
    _draw_head({name: model.get_parameter(name) for name in sorted(missing & head)}, config, head_seed)
    return model


def head_names(model: PreTrainedModel) -> set[str]:
    """Names of the head's parameters: new, trained and averaged in every method. BERT's pooler belongs to it.

    ``model`` is one as :func:`build_model` gives it, without a method.
    """
    return {name for name, tensor in model.named_parameters() if tensor.requires_grad and not in_encoder(model, name)}


def takes_token_types(model: PreTrainedModel) -> bool:
    """Whether the model tells a second text from the first by token types: several of them, and as an input."""
    kinds = getattr(model.config, "type_vocab_size", None) or 0
    return kinds > 1 and "token_type_ids" in inspect.signature(model.forward).parameters


def positions_of(model: PreTrainedModel) -> int | None:
    """How many tokens a row may have; None where positions are not looked up in a table (as DeBERTaV3's)."""
    tables = [
        module
        for name, module in model.named_modules()
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding)
    ]
    # RoBERTa's kind counts positions from behind the padding's.
    return min((table.num_embeddings - ((table.padding_idx or -1) + 1) for table in tables), default=None)


def parameter_count(tensors: dict[str, Tensor] | dict[str, nn.Parameter]) -> int:
    """Scalars in all tensors together."""
    return sum(tensor.numel() for tensor in tensors.values())


def pad_id_of(config: Any) -> int:
    """The padding token's id; 0 where the config names none."""
    return int(config.pad_token_id or 0)


def _config_of(base: Path) -> Any:
    for name in ("config.json", "model.safetensors"):
        if not (base / name).is_file():
            raise UsageError(f"{base} has no {name}; a model folder needs config.json and model.safetensors")
    try:
        # Code that a model brings along is never run: without the last argument, a question would be asked.
        return AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{base / 'config.json'} is none that transformers knows ({_first_line(error)}); use another encoder"
        ) from None


def _class_of(config: Any, task: TaskName) -> Any:
    """Transformers' class for a task and an architecture."""
    if type(config) not in _CLASSES[task]:
        raise UsageError(
            f"transformers has no model for {task} of type '{config.model_type}'; use another encoder, such as roberta"
        )
    return _CLASSES[task][type(config)]


def _load(base: Path, config: Any, model_class: Any) -> tuple[PreTrainedModel, set[str]]:
    """The model, in evaluation mode, and the names of the parameters that ``base`` lacks or has in other sizes."""
    # On a GPU the backward pass of fused attention is not deterministic.
    attention = "sdpa" if model_class._supports_sdpa and not torch.cuda.is_available() else "eager"
    model: PreTrainedModel
    try:
        with quiet(), torch.random.fork_rng(devices=[]):
            model, report = model_class.from_pretrained(
                base,
                config=config,
                dtype=torch.float32,
                attn_implementation=attention,
                local_files_only=True,
                use_safetensors=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise UsageError(f"{base} holds no readable weights ({_first_line(error)}); get the model again") from None
    return model, report["missing_keys"] | {name for name, *_ in report["mismatched_keys"]}


@torch.no_grad()
def _draw_head(head: dict[str, nn.Parameter], config: Any, head_seed: int | None) -> None:
    """Fill new head tensors, in the order of their names; a layer norm's weight is one."""
    source = None if head_seed is None else generator(head_seed, "head")
    for name, tensor in head.items():
        if tensor.dim() == 1:
            tensor.fill_(1.0 if name.endswith(".weight") else 0.0)
        elif source is None:
            tensor.zero_()
        else:
            tensor.normal_(0.0, config.initializer_range, generator=source)


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bar while a model is loaded or saved, and no talk of new head weights: here they are expected."""
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
