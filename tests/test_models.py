"""Any encoder becomes a model for any task: whole, in float32, with a head that comes from the seed alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from encoders import MINILM, some_batch, write_encoder
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from harness.errors import UsageError
from harness.learning.architectures import KNOWN
from harness.learning.models import build_model, head_names, positions_of, takes_token_types
from harness.learning.reach import scores_of
from harness.learning.seeding import generator
from harness.profiles import TaskName

LABELS: dict[TaskName, int] = {"text-classification": 5, "token-classification": 3, "question-answering": 2}
# Beside "classifier", where a text is classified; the others' classifier is one of two layers.
POOLED = {
    "albert": "albert.pooler",
    "bert": "bert.pooler.dense",
    "deberta": "pooler.dense",
    "deberta-v2": "pooler.dense",
    "distilbert": "pre_classifier",
    "ernie": "ernie.pooler.dense",
    "megatron-bert": "bert.pooler.dense",
    "rembert": "rembert.pooler.dense",
}


def head_layers(architecture: str, task: TaskName) -> set[str]:
    """The layers of a head, as transformers builds it."""
    if architecture == "modernbert":
        return {"head.dense", "head.norm", "classifier"}
    if task == "text-classification":
        pooled = POOLED.get(architecture)
        return {"classifier", pooled} if pooled else {"classifier.dense", "classifier.out_proj"}
    return {"classifier" if task == "token-classification" else "qa_outputs"}


def classifier(base: Path, labels: int = 5, head_seed: int | None = 0) -> PreTrainedModel:
    return build_model(base, "text-classification", labels, head_seed)


def rewrite(base: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Path:
    """Change the stored tensors of an encoder."""
    save_file(change(load_file(base / "model.safetensors")), base / "model.safetensors")
    return base


def configure(base: Path, **values: object) -> Path:
    """Change an encoder's config."""
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | values))
    return base


def without(part: str) -> Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]:
    return lambda stored: {name: tensor for name, tensor in stored.items() if part not in name}


@pytest.mark.parametrize("architecture", KNOWN)
def test_a_bare_encoder_becomes_a_model_for_each_task(tmp_path: Path, architecture: str) -> None:
    base = write_encoder(tmp_path, architecture)
    stored = {name: tensor for name, tensor in load_file(base / "model.safetensors").items() if "pooler" not in name}
    ids, mask = some_batch()
    shapes = {"text-classification": (3, 5), "token-classification": (3, 12, 3), "question-answering": (3, 12, 2)}
    for task, labels in LABELS.items():
        model = build_model(base, task, labels, head_seed=0)
        assert {name.rpartition(".")[0] for name in head_names(model)} == head_layers(architecture, task)
        loaded = {name.partition(".")[2]: tensor for name, tensor in model.named_parameters()}
        assert all(torch.equal(loaded[name], tensor) for name, tensor in stored.items() if name in loaded)
        assert scores_of(model(input_ids=ids, attention_mask=mask), task).shape == shapes[task]


def test_the_head_depends_on_its_seed_alone(tmp_path: Path) -> None:
    base = write_encoder(tmp_path, "roberta")
    heads = []
    for seed, noise in ((3, 1), (3, 2), (4, 1)):
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        heads.append(classifier(base, 5, head_seed=seed).get_parameter("classifier.dense.weight"))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    assert float(heads[0].detach().std()) == pytest.approx(0.02, rel=0.1)


def test_the_head_is_drawn_in_the_order_of_its_names(tmp_path: Path) -> None:
    """Runs are told apart by their inputs: the same seed has to give the same head for ever."""
    model, source = classifier(write_encoder(tmp_path, "roberta"), head_seed=3), generator(3, "head")
    for layer, shape in (("dense", (64, 64)), ("out_proj", (5, 64))):
        expected = torch.empty(shape).normal_(0.0, 0.02, generator=source)
        assert torch.equal(model.get_parameter(f"classifier.{layer}.weight"), expected)
        assert not model.get_parameter(f"classifier.{layer}.bias").any()


def test_half_precision_on_disk_is_float32_in_memory(tmp_path: Path) -> None:
    base = rewrite(write_encoder(tmp_path), lambda stored: {name: tensor.half() for name, tensor in stored.items()})
    model = classifier(base, 5, head_seed=None)
    assert {tensor.dtype for tensor in model.parameters()} == {torch.float32}


def test_an_encoder_without_pooler_gets_a_new_one(tmp_path: Path) -> None:
    base = rewrite(write_encoder(tmp_path), without("pooler"))
    assert classifier(base, 5, head_seed=0).get_parameter("bert.pooler.dense.weight").any()
    assert not classifier(base, 5, head_seed=None).get_parameter("bert.pooler.dense.weight").any()


def test_nothing_is_said_while_loading(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    classifier(write_encoder(tmp_path), 5, head_seed=0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not MINILM.is_dir(), reason="the shared MiniLM is not here")
def test_minilm_loads_whole() -> None:
    model = classifier(MINILM, 20, head_seed=0)
    stored = load_file(MINILM / "model.safetensors")
    assert all(torch.equal(model.get_parameter(f"bert.{name}"), tensor.float()) for name, tensor in stored.items())


def test_the_head_of_another_task_is_replaced(tmp_path: Path) -> None:
    """A fine-tuned classifier of 7 classes becomes one of 5, as new as from its encoder."""
    base = write_encoder(tmp_path / "encoder", "electra")
    classifier(base, 7, head_seed=9).save_pretrained(tmp_path / "tuned")
    tuned, fresh = classifier(tmp_path / "tuned"), classifier(base)
    assert tuned.get_parameter("classifier.out_proj.weight").shape == (5, 64)
    assert not tuned.get_parameter("classifier.out_proj.bias").any()
    assert tuned.get_parameter("classifier.out_proj.weight").any()
    name = "electra.encoder.layer.1.output.dense.weight"
    assert torch.equal(tuned.get_parameter(name), fresh.get_parameter(name))


def test_a_layer_norm_in_a_head_starts_as_one(tmp_path: Path) -> None:
    for seed in (None, 0):
        model = classifier(write_encoder(tmp_path, "modernbert"), head_seed=seed)
        assert bool((model.get_parameter("head.norm.weight") == 1).all())


def test_parameters_that_the_task_does_not_use_are_frozen(tmp_path: Path) -> None:
    """Of LUKE, all that is about entities; of RoFormer, the fixed positions."""
    luke = classifier(write_encoder(tmp_path / "luke", "luke"))
    frozen = {name for name, tensor in luke.named_parameters() if not tensor.requires_grad}
    assert {"luke.entity_embeddings.LayerNorm.bias", "luke.encoder.layer.0.attention.self.w2e_query.weight"} < frozen
    assert not frozen & head_names(luke)
    assert all("entity" in name or "2e_query" in name or "e2w_query" in name for name in frozen)
    roformer = classifier(write_encoder(tmp_path / "roformer", "roformer"))
    frozen = {name for name, tensor in roformer.named_parameters() if not tensor.requires_grad}
    assert frozen == {"roformer.encoder.embed_positions.weight"}


def test_token_types_are_for_models_that_know_several(tmp_path: Path) -> None:
    taking = {name for name in KNOWN if takes_token_types(classifier(write_encoder(tmp_path / name, name)))}
    assert {"albert", "bert", "electra"} < taking
    assert not taking & {"distilbert", "modernbert", "mpnet", "roberta", "deberta", "deberta-v2"}


def test_a_type_without_a_model_for_the_task_is_refused(tmp_path: Path) -> None:
    base = configure(write_encoder(tmp_path), model_type="vit")
    with pytest.raises(UsageError, match="no model for text-classification of type 'vit'; use another encoder"):
        classifier(base)


def test_a_model_that_wants_more_than_tokens_is_refused(tmp_path: Path) -> None:
    sentence = "'gpt2' cannot do text-classification on tokens and their mask alone .*padding token.*use another"
    with pytest.raises(UsageError, match=sentence):
        classifier(write_encoder(tmp_path, "gpt2"))


def test_an_unknown_type_is_refused(tmp_path: Path) -> None:
    base = configure(write_encoder(tmp_path), model_type="of-tomorrow")
    with pytest.raises(UsageError, match=r"config\.json is none that transformers knows .*of-tomorrow"):
        classifier(base)


def test_code_that_a_model_brings_along_is_not_run(tmp_path: Path) -> None:
    automatic = {"AutoConfig": "code.Config", "AutoModelForSequenceClassification": "code.Model"}
    base = configure(write_encoder(tmp_path), model_type="of-tomorrow", auto_map=automatic)
    (base / "code.py").write_text("raise SystemExit('this code was run')")
    with pytest.raises(UsageError, match="none that transformers knows"):
        classifier(base)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no config\.json"):
        classifier(tmp_path, 5, head_seed=0)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    (base / "model.safetensors").write_bytes(b"no tensors here")
    with pytest.raises(UsageError, match="no readable weights"):
        classifier(base, 5, head_seed=0)


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    base = configure(write_encoder(tmp_path), hidden_size=32)
    with pytest.raises(UsageError, match=r"lacks the weights bert\.embeddings.*, or has them in other sizes"):
        classifier(base, 5, head_seed=0)


def test_an_encoder_with_a_missing_layer_is_refused(tmp_path: Path) -> None:
    base = rewrite(write_encoder(tmp_path), without("layer.1"))
    with pytest.raises(UsageError, match=r"lacks the weights bert\.encoder\.layer\.1"):
        classifier(base, 5, head_seed=0)


@pytest.mark.parametrize(("architecture", "positions"), [("bert", 40), ("roberta", 38), ("deberta-v2", None)])
def test_a_model_reads_as_many_tokens_as_it_has_positions(
    tmp_path: Path, architecture: str, positions: int | None
) -> None:
    model = classifier(write_encoder(tmp_path, architecture))
    assert positions_of(model) == positions
    if positions is not None:
        model(input_ids=torch.full((1, positions), 5))
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.full((1, positions + 1), 5))
