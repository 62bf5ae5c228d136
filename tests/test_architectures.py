"""Which layers of an encoder are adapted: by its type, by the model profile, or not at all, with a reason."""

from pathlib import Path

import pytest
import torch
from encoders import some_batch, spec_of, write_encoder
from torch import nn
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.learning.architectures import KNOWN, adapter_sites, in_encoder, lora_layers
from harness.learning.methods import attach, initial_state
from harness.learning.models import build_model
from harness.profiles import ModulesProfile, SiteProfile

UNNAMED = ModulesProfile()
# A type that is not among the known ones, though its modules are called like BERT's.
UNKNOWN = "nystromformer"
NAMED = ModulesProfile(
    lora=("self.query", "intermediate.dense"),
    adapters=(SiteProfile(block="attention.output", after="dense"), SiteProfile(block="layer", after="output.dense")),
)


def built(folder: Path, architecture: str) -> PreTrainedModel:
    return build_model(write_encoder(folder, architecture), "token-classification", 3, head_seed=0)


def zero(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(output)


@pytest.mark.parametrize("architecture", KNOWN)
def test_adapters_see_all_that_a_sublayer_gives_before_its_residual_add(tmp_path: Path, architecture: str) -> None:
    """With the sites silenced, the layers' matrices have no effect, and the embeddings pass by them."""
    model = built(tmp_path, architecture)
    sites = adapter_sites(model, UNNAMED)
    assert len(sites) == 2 * 2  # in Albert, those of the two layers that all share
    for site in sites:
        site.after.register_forward_hook(zero)
    ids, mask = some_batch()
    model(input_ids=ids, attention_mask=mask).logits.logsumexp(-1).sum().backward()
    moved = {name for name, tensor in model.named_parameters() if tensor.grad is not None and tensor.grad.any()}
    matrices = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    assert not {name for name in moved & matrices if "layer" in name}
    assert any("word_embeddings" in name or "tok_embeddings" in name for name in moved)


@pytest.mark.parametrize("architecture", KNOWN)
def test_lora_adapts_query_and_value_or_the_matrix_that_holds_them(tmp_path: Path, architecture: str) -> None:
    model = built(tmp_path, architecture)
    layers = lora_layers(model, UNNAMED)
    fused = architecture in ("deberta", "modernbert")
    assert len(layers) == (2 if fused else 4)
    assert {tuple(layer.weight.shape) for layer in layers.values()} <= {(192, 64), (64, 64), (32, 64)}
    assert all(in_encoder(model, name) for name in layers)


def test_albert_shares_its_layers_and_its_adapters(tmp_path: Path) -> None:
    layers = lora_layers(built(tmp_path, "albert"), UNNAMED)
    group = "albert.encoder.albert_layer_groups.0.albert_layers"
    assert list(layers) == [f"{group}.{i}.attention.{part}" for i in range(2) for part in ("query", "value")]


def test_the_head_and_the_pooler_are_not_the_encoders(tmp_path: Path) -> None:
    model = build_model(write_encoder(tmp_path), "text-classification", 3, head_seed=0)
    names = ("bert.pooler", "bert.pooler.dense", "classifier", "bert.encoder.layer.0.output", "bert.embeddings")
    assert [in_encoder(model, name) for name in names] == [False, False, False, True, True]
    layers = lora_layers(model, ModulesProfile(lora=("dense",)))
    assert len(layers) == 2 * 3
    assert not any("pooler" in name for name in layers)


def test_a_profile_chooses_other_layers(tmp_path: Path) -> None:
    model = built(tmp_path, "bert")
    ends = ("query", "layer.1.attention.self.key", "layer.output.dense")
    assert list(lora_layers(model, ModulesProfile(lora=ends))) == [
        "bert.encoder.layer.0.attention.self.query",
        "bert.encoder.layer.0.output.dense",
        "bert.encoder.layer.1.attention.self.key",
        "bert.encoder.layer.1.attention.self.query",
        "bert.encoder.layer.1.output.dense",
    ]
    chosen = ModulesProfile(adapters=(SiteProfile(block="layer", after="output.dropout"),))
    assert [site.name for site in adapter_sites(model, chosen)] == ["bert.encoder.layer.0", "bert.encoder.layer.1"]


@pytest.mark.parametrize("method", ["fedft", "fedbf"])
def test_an_unknown_type_needs_no_names_where_nothing_is_inserted(tmp_path: Path, method: str) -> None:
    state = initial_state(write_encoder(tmp_path, UNKNOWN), spec_of(method), seed=0).state  # type: ignore[arg-type]
    assert f"{UNKNOWN}.encoder.layer.0.output.dense.bias" in state


@pytest.mark.parametrize(("method", "key"), [("fedlr", "lora"), ("federa", "lora"), ("fedap", "adapters")])
def test_an_unknown_type_without_names_says_what_to_name(tmp_path: Path, method: str, key: str) -> None:
    wanted = (
        rf"model type '{UNKNOWN}' to adapt is not known; name them in the model profile, as in modules: \{{{key}: \[.*"
        r"its linear layers end in: self\.query, self\.key, self\.value, output\.dense, intermediate\.dense$"
    )
    with pytest.raises(UsageError, match=wanted):
        initial_state(write_encoder(tmp_path, UNKNOWN), spec_of(method), seed=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["fedlr", "federa", "fedap"])
def test_an_unknown_type_with_names_is_adapted(tmp_path: Path, method: str) -> None:
    """Matrices that are not square too: the intermediate layer is 128 x 64."""
    base, spec = write_encoder(tmp_path, UNKNOWN), spec_of(method, modules=NAMED, alpha=10.0)  # type: ignore[arg-type]
    initial = initial_state(base, spec, seed=0)
    model = build_model(base, "text-classification", 4, head_seed=0).eval()
    ids, mask = some_batch()
    before = model(input_ids=ids, attention_mask=mask).logits
    attached = attach(model, spec, initial.state)
    attached.load(initial.state)
    after = model(input_ids=ids, attention_mask=mask).logits
    torch.testing.assert_close(after, before, rtol=0, atol=3e-2 if method == "fedap" else 1e-5)
    after.logsumexp(-1).sum().backward()
    assert all(tensor.grad is not None for tensor in attached.trainable.values())
    shapes = {tuple(tensor.shape) for name, tensor in initial.state.items() if ".lora_" in name}
    assert shapes == (set() if method == "fedap" else {(4, 64), (64, 4), (128, 4)})


FAULTS = [
    (
        "fedlr",
        ModulesProfile(lora=("qkv",)),
        r"^modules\.lora: nothing in the encoder ends in 'qkv'; .*self\.query",
    ),
    ("fedlr", ModulesProfile(lora=("uery",)), "nothing in the encoder ends in 'uery'"),
    ("federa", ModulesProfile(lora=("classifier",)), "nothing in the encoder ends in 'classifier'"),
    ("federa", ModulesProfile(lora=("LayerNorm",)), r"embeddings\.LayerNorm is a LayerNorm, not a linear layer"),
    (
        "fedap",
        ModulesProfile(adapters=(SiteProfile(block="output", after="drop"),)),
        r"^modules\.adapters: no module ends in 'output' and has a part 'drop'; its linear layers end in",
    ),
    (
        "fedap",
        ModulesProfile(adapters=(SiteProfile(block="intermediate", after="dense"),)),
        "the modules of the model profile do not fit: .*128",
    ),
    (
        "fedap",
        ModulesProfile(adapters=(SiteProfile(block="layer", after="attention"),)),
        "the modules of the model profile do not fit",
    ),
    (
        "fedap",
        ModulesProfile(
            adapters=(SiteProfile(block="output", after="dense"), SiteProfile(block="output", after="dropout"))
        ),
        r"bert\.encoder\.layer\.0\.attention\.output would get two adapters",
    ),
]


@pytest.mark.parametrize(("method", "modules", "sentence"), FAULTS)
def test_names_that_do_not_fit_are_refused(tmp_path: Path, method: str, modules: ModulesProfile, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        initial_state(write_encoder(tmp_path), spec_of(method, modules=modules), seed=0)  # type: ignore[arg-type]


def test_layers_that_the_task_does_not_use_are_refused(tmp_path: Path) -> None:
    """LUKE has queries between words and entities, and no entities are given."""
    with pytest.raises(UsageError, match=r"this task uses no layer of the names given; .*self\.query"):
        lora_layers(built(tmp_path, "luke"), ModulesProfile(lora=("w2e_query", "e2e_query")))


def test_layers_of_another_kind_are_refused(tmp_path: Path) -> None:
    """GPT-2's projections hold their weights the other way round."""
    model = built(tmp_path, "gpt2")
    with pytest.raises(UsageError, match=r"attn\.c_attn is a Conv1D, not a linear layer; it has no linear layers"):
        lora_layers(model, ModulesProfile(lora=("c_attn",)))
