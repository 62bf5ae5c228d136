"""What is known of encoders: the layers that LoRA adapts and the places of Houlsby adapters, by model type.

A model profile names them where a type is not known, or where others are wanted. Names of modules are given by their
ends: ``query`` and ``self.query`` both stand for ``bert.encoder.layer.0.attention.self.query``. The numbers of layers
may be left out anywhere: ``albert_layers`` stands for ``albert_layers.0`` too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import nn
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.profiles import ModulesProfile, SiteProfile

# Both "attention.output" and the feed-forward "output": dense, dropout, then the residual add.
_OUTPUTS = (SiteProfile(block="output", after="dropout"),)
_BERT = ModulesProfile(lora=("query", "value"), adapters=_OUTPUTS)
_OF_BERTS_FORM = (
    "bert camembert convbert data2vec-text electra ernie megatron-bert rembert roberta roberta-prelayernorm roformer "
    "xlm-roberta"
)

KNOWN: dict[str, ModulesProfile] = {
    **dict.fromkeys(_OF_BERTS_FORM.split(), _BERT),
    "albert": ModulesProfile(
        lora=("query", "value"),
        adapters=(
            SiteProfile(block="attention", after="output_dropout"),
            SiteProfile(block="albert_layers", after="ffn_output"),
        ),
    ),
    # Query, key and value are one matrix, in DeBERTa interleaved by head: it is adapted whole, as PEFT does it.
    "deberta": ModulesProfile(lora=("in_proj",), adapters=_OUTPUTS),
    "deberta-v2": ModulesProfile(lora=("query_proj", "value_proj"), adapters=_OUTPUTS),
    "distilbert": ModulesProfile(
        lora=("q_lin", "v_lin"),
        adapters=(SiteProfile(block="attention", after="out_lin"), SiteProfile(block="ffn", after="dropout")),
    ),
    # One matrix again: Wqkv.
    "modernbert": ModulesProfile(
        lora=("Wqkv",),
        adapters=(SiteProfile(block="attn", after="out_drop"), SiteProfile(block="mlp", after="Wo")),
    ),
    "mpnet": ModulesProfile(
        lora=("attn.q", "attn.v"),
        adapters=(SiteProfile(block="attention", after="dropout"), SiteProfile(block="output", after="dropout")),
    ),
}
"""By transformers' model type: query and value layers, and two adapter sites a layer: after the attention output and
after the feed-forward output, where the sublayer's output has not yet met its residual."""

_HINTS = 8


class Site(NamedTuple):
    """Where one adapter goes: into ``block``, of this full name, on the output of its part ``after``."""

    name: str
    block: nn.Module
    after: nn.Module


def in_encoder(model: PreTrainedModel, name: str) -> bool:
    """Whether a module or parameter is the pretrained encoder's: not the task head's, nor the pooler's below it."""
    encoder = f"{model.base_model_prefix}."
    return name.startswith(encoder) and not f"{name}.".startswith(f"{encoder}pooler.")


def lora_layers(model: PreTrainedModel, chosen: ModulesProfile) -> dict[str, nn.Linear]:
    """The linear layers that LoRA adapts, by full name, sorted: those chosen, else the known query and value layers.

    Layers that the task does not use are left out; a layer that others share is there once.

    Raises:
        UsageError: neither chosen nor known, or a chosen name fits no linear layer.
    """
    layers: dict[str, nn.Linear] = {}
    for end in chosen.lora or _known(model, "lora", "[q_proj, v_proj]").lora:
        found = [(name, module) for name, module in _modules(model) if _ends_in(name, end)]
        if not found:
            raise UsageError(f"modules.lora: nothing in the encoder ends in '{end}'; {_hint(model)}")
        for name, module in found:
            if not isinstance(module, nn.Linear):
                kind = type(module).__name__
                raise UsageError(f"modules.lora: {name} is a {kind}, not a linear layer; {_hint(model)}")
            if module.weight.requires_grad:
                layers[name] = module
    if not layers:
        raise UsageError(f"modules.lora: this task uses no layer of the names given; {_hint(model)}")
    return dict(sorted(layers.items()))


def adapter_sites(model: PreTrainedModel, chosen: ModulesProfile) -> list[Site]:
    """Where Houlsby adapters go: the places chosen, else the known ones.

    Raises:
        UsageError: neither chosen nor known, or no module is of that name and has that part.
    """
    example = "[{block: self_attn, after: o_proj}, {block: mlp, after: down_proj}]"
    return [
        site
        for wanted in chosen.adapters or _known(model, "adapters", example).adapters
        for site in _sites(model, wanted)
    ]


def _sites(model: PreTrainedModel, wanted: SiteProfile) -> list[Site]:
    """The blocks of one kind."""
    blocks = [(name, module) for name, module in _modules(model) if _ends_in(name, wanted.block)]
    parts = [(name, block, dict(block.named_modules()).get(wanted.after)) for name, block in blocks]
    sites = [Site(name, block, part) for name, block, part in parts if part is not None]
    if not sites:
        raise UsageError(
            f"modules.adapters: no module ends in '{wanted.block}' and has a part '{wanted.after}'; {_hint(model)}"
        )
    return sites


def _known(model: PreTrainedModel, key: str, example: str) -> ModulesProfile:
    """What is known of the model's type."""
    model_type = model.config.model_type
    if model_type not in KNOWN:
        raise UsageError(
            f"which modules of model type '{model_type}' to adapt is not known; name them in the model profile, as in "
            f"modules: {{{key}: {example}}}; {_hint(model)}"
        )
    return KNOWN[model_type]


def _modules(model: PreTrainedModel) -> Iterator[tuple[str, nn.Module]]:
    """The encoder's modules by full name; one that is shared has its first."""
    return ((name, module) for name, module in model.named_modules() if in_encoder(model, name))


def _ends_in(name: str, end: str) -> bool:
    """Whether a module's full name, with or without the numbers of layers, ends in whole parts with ``end``."""
    return any(f".{form}".endswith(f".{end}") for form in (name, _without_numbers(name)))


def _without_numbers(name: str) -> str:
    return ".".join(part for part in name.split(".") if not part.isdigit())


def _hint(model: PreTrainedModel) -> str:
    """The ends of some linear layers' names, which are valid choices."""
    linear = [name for name, module in _modules(model) if isinstance(module, nn.Linear)]
    ends = list(dict.fromkeys(".".join(_without_numbers(name).split(".")[-2:]) for name in linear))
    more = ", ..." if len(ends) > _HINTS else ""
    return f"its linear layers end in: {', '.join(ends[:_HINTS])}{more}" if ends else "it has no linear layers"
