"""A checkpoint as an adapter that plain PEFT loads onto the pretrained weights as they are (LoRA, arXiv 2106.09685)."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.learning.exporting.source import Source, refusal
from harness.learning.exporting.weights import copy_tokenizer, factors_of, plain_model, sort_lists
from harness.learning.models import head_names
from harness.profiles import TaskName

_TASKS: dict[TaskName, TaskType] = {
    "text-classification": TaskType.SEQ_CLS,
    "token-classification": TaskType.TOKEN_CLS,
    "question-answering": TaskType.QUESTION_ANS,
}


def write_adapter(source: Source, out: Path) -> int:
    """Write the adapter's files and the tokenizer's into the folder ``out``; answers with the adapter's rank.

    PEFT adds (lora_alpha / rank) B A to W, the pretrained weight. A run that began with FeDeRA's factors has
    h = (W - s B0 A0) x + s B A x, so its adapter is [B, -B0] [A; A0] of rank 2r with alpha 2 beta, which leaves s as it
    was. The head goes along whole, as ``modules_to_save``.

    Raises:
        UsageError: there is no such adapter (see :func:`harness.learning.exporting.source.refusal`).
        BlobError: a checkpoint is not what it should be.
        TrainerError: the checkpoint is of another model.
    """
    if fault := refusal(source.method, source.checkpoint, "peft"):
        raise UsageError(fault)
    model, state = plain_model(source)
    factors = factors_of(source, state)
    rank = next(iter(factors.values()))[1].shape[0]
    config = LoraConfig(
        r=rank,
        lora_alpha=_whole(source.scale * rank),
        target_modules=sorted(factors),
        modules_to_save=head_modules(model),
        lora_dropout=0.0,
        bias="none",
        task_type=_TASKS[source.task],
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # PEFT asks transformers for something by its old name.
        warnings.simplefilter("ignore", FutureWarning)
        adapted = get_peft_model(model, config)
    # PEFT puts in the folder that the model was read from.
    adapted.peft_config["default"].base_model_name_or_path = source.base_name
    for layer, (b, a) in factors.items():
        for part, values in (("lora_B", b), ("lora_A", a)):
            adapted.get_parameter(f"base_model.model.{layer}.{part}.default.weight").data.copy_(values)
    adapted.save_pretrained(str(out), save_embedding_layers=False)
    sort_lists(out / "adapter_config.json", "target_modules", "modules_to_save")
    copy_tokenizer(source, out)
    return rank


def head_modules(model: PreTrainedModel) -> list[str]:
    """The modules that are the head, by full name, outermost first: all of the model beside its encoder, and a pooler.

    Raises:
        UsageError: a parameter of the head is in no module of its own.
    """
    encoder = f"{model.base_model_prefix}."
    modules = set()
    for name in head_names(model):
        inner = name.removeprefix(encoder) if name.startswith(encoder) else name
        module, dot, _ = inner.partition(".")
        if not dot:
            raise UsageError(f"the head's {name} is in no module, and PEFT saves modules; use --merged DIR")
        modules.add(name[: len(name) - len(inner)] + module)
    return sorted(modules)


def _whole(alpha: float) -> int:
    """PEFT says that alpha is an int, and takes any number: one without a fraction is written as it says."""
    return int(alpha) if alpha.is_integer() else alpha  # type: ignore[return-value]
