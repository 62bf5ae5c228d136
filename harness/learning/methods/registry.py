"""Which method is what, and attaching one to a model."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.learning.forms import kind_of
from harness.learning.methods import adapter, bias, full, lora
from harness.learning.methods.base import Attached, Insert
from harness.learning.methods.stages import stages_of
from harness.learning.models import head_names, parameter_count
from harness.learning.reach import reached_names
from harness.learning.spec import PrepareSpec
from harness.profiles import Method, ModulesProfile
from harness.records import Parameters

_WITHOUT_FACTORS: dict[Method, Insert] = {"fedft": full.insert, "fedbf": bias.insert, "fedap": adapter.insert}


def attach(model: PreTrainedModel, spec: PrepareSpec, init: Mapping[str, Tensor] | None) -> Attached:
    """Attach a method to a bare model, once; all but the method's tensors and the head is frozen.

    ``init`` holds at least the tensors shipped once (see :func:`harness.learning.forms.ships_first`).

    Raises:
        UsageError: the settings, or the modules that the model profile names, do not fit the model.
        TrainerError: ``init`` does not fit the method.
    """
    head = {name: model.get_parameter(name) for name in head_names(model)}
    insert = _WITHOUT_FACTORS.get(spec.method)
    adapted = None if insert else lora.insert(model, spec, init)
    inserted = adapted.tensors if adapted else insert(model, spec) if insert else {}
    model.requires_grad_(False)
    trainable = dict(sorted((inserted | head).items()))
    for parameter in trainable.values():
        parameter.requires_grad_(True)
    if spec.modules != ModulesProfile():
        _check_reached(model, spec, trainable)
    return Attached(spec, trainable, adapted, _parameters(model, spec, trainable, head))


def _parameters(
    model: PreTrainedModel, spec: PrepareSpec, trainable: Mapping[str, nn.Parameter], head: Mapping[str, nn.Parameter]
) -> Parameters:
    """How many are trained in any round. SLoRA's values are no more of a model: they are parts of its weights."""
    kinds = frozenset[str]().union(*(form.trained for form in stages_of(spec)))
    trained = {name: tensor for name, tensor in trainable.items() if kind_of(name) in kinds}
    sparse = {name: tensor for name, tensor in trainable.items() if kind_of(name) == "sparse"}
    return Parameters(
        adapter=parameter_count(trained) - parameter_count(dict(head)),
        head=parameter_count(dict(head)),
        total=parameter_count(dict(model.named_parameters())) - parameter_count(sparse),
    )


def _check_reached(model: PreTrainedModel, spec: PrepareSpec, trainable: Mapping[str, nn.Parameter]) -> None:
    """Modules that somebody named may have another width, or none of the outputs may depend on them."""
    wanted = {name: tensor for name, tensor in trainable.items() if kind_of(name) != "sparse"}
    try:
        unreached = wanted.keys() - reached_names(model, spec.task, wanted)
    except UsageError as error:
        raise UsageError(f"the modules of the model profile do not fit: {error}") from error
    if unreached:
        raise UsageError(
            f"the modules of the model profile do not fit: {spec.task} does not depend on {min(unreached)}; name others"
        )
