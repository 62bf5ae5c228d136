"""Which method is what, and attaching one to a model."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from transformers import PreTrainedModel

from harness.learning.methods import adapter, bias, full, lora
from harness.learning.methods.base import Attached, Insert
from harness.learning.models import head_names, parameter_count
from harness.learning.spec import PrepareSpec
from harness.profiles import Method
from harness.records import Parameters

_INSERT: dict[Method, Insert] = {
    "fedft": full.insert,
    "fedbf": bias.insert,
    "fedap": adapter.insert,
    "fedlr": lora.insert,
    "federa": lora.insert_principal,
}


def needs_init(method: Method) -> bool:
    """Whether the method's clients need tensors shipped once: FeDeRA's A0 and B0, from which they form W_res."""
    return method == "federa"


def attach(model: PreTrainedModel, spec: PrepareSpec, init: Mapping[str, Tensor] | None) -> Attached:
    """Attach a method to a bare classifier, once; all but the method's tensors and the head is frozen.

    ``init`` holds at least the tensors shipped once (see :func:`needs_init`); the initial state does too.

    Raises:
        UsageError: the settings do not fit the model.
        TrainerError: ``init`` does not fit the method.
    """
    head = {name: model.get_parameter(name) for name in head_names(model)}
    inserted = _INSERT[spec.method](model, spec.settings, init)
    model.requires_grad_(False)
    trainable = dict(sorted((inserted | head).items()))
    for parameter in trainable.values():
        parameter.requires_grad_(True)
    parameters = Parameters(
        adapter=parameter_count(trainable) - parameter_count(head),
        head=parameter_count(head),
        total=parameter_count(dict(model.named_parameters())),
    )
    return Attached(trainable=trainable, parameters=parameters)
