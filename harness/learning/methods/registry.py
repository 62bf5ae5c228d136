"""Which method is what, and attaching one to a model."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.learning.methods import adapter, bias, full, lora
from harness.learning.methods.base import Attached, Insert
from harness.learning.models import head_names, parameter_count
from harness.learning.reach import reached_names
from harness.learning.spec import PrepareSpec
from harness.profiles import Method, ModulesProfile
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
    """Attach a method to a bare model, once; all but the method's tensors and the head is frozen.

    ``init`` holds at least the tensors shipped once (see :func:`needs_init`); the initial state does too.

    Raises:
        UsageError: the settings, or the modules that the model profile names, do not fit the model.
        TrainerError: ``init`` does not fit the method.
    """
    head = {name: model.get_parameter(name) for name in head_names(model)}
    inserted = _INSERT[spec.method](model, spec, init)
    model.requires_grad_(False)
    trainable = dict(sorted((inserted | head).items()))
    for parameter in trainable.values():
        parameter.requires_grad_(True)
    if spec.modules != ModulesProfile():
        _check_reached(model, spec, trainable)
    parameters = Parameters(
        adapter=parameter_count(trainable) - parameter_count(head),
        head=parameter_count(head),
        total=parameter_count(dict(model.named_parameters())),
    )
    return Attached(trainable=trainable, parameters=parameters)


def _check_reached(model: PreTrainedModel, spec: PrepareSpec, trainable: Mapping[str, nn.Parameter]) -> None:
    """Modules that somebody named may have another width, or none of the outputs may depend on them."""
    try:
        unreached = trainable.keys() - reached_names(model, spec.task, trainable)
    except UsageError as error:
        raise UsageError(f"the modules of the model profile do not fit: {error}") from error
    if unreached:
        raise UsageError(
            f"the modules of the model profile do not fit: {spec.task} does not depend on {min(unreached)}; name others"
        )
