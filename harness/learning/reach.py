"""Which parameters a task's outputs depend on: what does not reach them gets no gradient, and is not to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.profiles import TaskName


def scores_of(output: Any, task: TaskName) -> Tensor:
    """A model's output as one tensor: classes [b, labels], tags [b, t, labels], or an answer's two ends [b, t, 2]."""
    if task == "question-answering":
        return torch.stack([output.start_logits, output.end_logits], dim=-1)
    logits: Tensor = output.logits
    return logits


def reached_names(model: PreTrainedModel, task: TaskName, tensors: Mapping[str, nn.Parameter]) -> set[str]:
    """Names of those ``tensors`` that require gradients and on which the outputs for ``task`` depend.

    Two rows of tokens are run, one of them padded, and the graph of the outputs is followed back: no gradient is
    computed, and none takes memory.

    Raises:
        UsageError: the model cannot be run on tokens and their attention mask alone.
    """
    input_ids = torch.arange(8).repeat(2, 1)
    mask = torch.ones_like(input_ids)
    mask[1, 5:] = 0
    try:
        with torch.enable_grad(), torch.random.fork_rng(devices=[]):
            reached = _leaves(scores_of(model(input_ids=input_ids, attention_mask=mask), task))
    except Exception as error:
        # Whatever a model's own code raises when it wants other inputs: that depends on the architecture.
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(
            f"model type '{model.config.model_type}' cannot do {task} on tokens and their mask alone ({reason}); "
            "use another encoder"
        ) from error
    return {name for name, tensor in tensors.items() if id(tensor) in reached}


def freeze_unreached(model: PreTrainedModel, task: TaskName) -> None:
    """Freeze the parameters that the outputs for ``task`` do not depend on, such as a pooler that only others use.

    Raises:
        UsageError: the model cannot be run on tokens and their attention mask alone.
    """
    parameters = dict(model.named_parameters())
    reached = reached_names(model, task, parameters)
    for name, tensor in parameters.items():
        tensor.requires_grad_(name in reached)


def _leaves(output: Tensor) -> set[int]:
    """The ids of the tensors at the ends of a graph."""
    leaves: set[int] = set()
    seen, waiting = set(), [output.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            leaves.add(id(getattr(node, "variable", None)))
            waiting.extend(before for before, _ in node.next_functions)
    return leaves
