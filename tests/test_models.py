"""Any of the four encoders becomes a classifier: whole, in float32, with a head that comes from the seed alone."""

import json
from pathlib import Path

import pytest
import torch
from encoders import ARCHITECTURES, MINILM, some_batch, write_encoder
from safetensors.torch import load_file, save_file

from harness.errors import UsageError
from harness.learning.models import build_classifier, head_names

HEADS = {
    "bert": {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"},
    "roberta": {f"classifier.{part}.{kind}" for part in ("dense", "out_proj") for kind in ("weight", "bias")},
    "distilbert": {f"{part}.{kind}" for part in ("pre_classifier", "classifier") for kind in ("weight", "bias")},
    "deberta-v2": {f"{part}.{kind}" for part in ("pooler.dense", "classifier") for kind in ("weight", "bias")},
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_bare_encoder_becomes_a_classifier(tmp_path: Path, architecture: str) -> None:
    base = write_encoder(tmp_path, architecture)
    model = build_classifier(base, 5, head_seed=0)
    assert head_names(model) == HEADS[architecture]
    stored = load_file(base / "model.safetensors")
    encoder = {name: tensor for name, tensor in stored.items() if "pooler" not in name}
    loaded = {name.partition(".")[2]: tensor for name, tensor in model.named_parameters()}
    assert all(torch.equal(loaded[name], tensor) for name, tensor in encoder.items())
    ids, mask = some_batch()
    assert model(input_ids=ids, attention_mask=mask).logits.shape == (3, 5)


def test_the_head_depends_on_its_seed_alone(tmp_path: Path) -> None:
    base = write_encoder(tmp_path, "roberta")
    heads = []
    for seed, noise in ((3, 1), (3, 2), (4, 1)):
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        heads.append(build_classifier(base, 5, head_seed=seed).get_parameter("classifier.dense.weight"))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    assert float(heads[0].detach().std()) == pytest.approx(0.02, rel=0.1)


def test_half_precision_on_disk_is_float32_in_memory(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    file = base / "model.safetensors"
    save_file({name: tensor.half() for name, tensor in load_file(file).items()}, file)
    model = build_classifier(base, 5, head_seed=None)
    assert {tensor.dtype for tensor in model.parameters()} == {torch.float32}


def test_an_encoder_without_pooler_gets_a_new_one(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    file = base / "model.safetensors"
    save_file({name: tensor for name, tensor in load_file(file).items() if "pooler" not in name}, file)
    assert build_classifier(base, 5, head_seed=0).get_parameter("bert.pooler.dense.weight").any()
    assert not build_classifier(base, 5, head_seed=None).get_parameter("bert.pooler.dense.weight").any()


def test_nothing_is_said_while_loading(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    build_classifier(write_encoder(tmp_path), 5, head_seed=0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not MINILM.is_dir(), reason="the shared MiniLM is not here")
def test_minilm_loads_whole() -> None:
    model = build_classifier(MINILM, 20, head_seed=0)
    stored = load_file(MINILM / "model.safetensors")
    assert all(torch.equal(model.get_parameter(f"bert.{name}"), tensor.float()) for name, tensor in stored.items())


def test_an_unknown_architecture_is_refused(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    (base / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(UsageError, match=r"'gpt2' is not known; .*roberta"):
        build_classifier(base, 5, head_seed=0)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no config\.json"):
        build_classifier(tmp_path, 5, head_seed=0)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    (base / "model.safetensors").write_bytes(b"no tensors here")
    with pytest.raises(UsageError, match="no readable weights"):
        build_classifier(base, 5, head_seed=0)


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"hidden_size": 32}))
    with pytest.raises(UsageError, match="no readable weights"):
        build_classifier(base, 5, head_seed=0)


def test_an_encoder_with_a_missing_layer_is_refused(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    file = base / "model.safetensors"
    save_file({name: tensor for name, tensor in load_file(file).items() if "layer.1" not in name}, file)
    with pytest.raises(UsageError, match=r"lacks the weights bert\.encoder\.layer\.1"):
        build_classifier(base, 5, head_seed=0)
