"""Exported adapters: plain PEFT loads them onto the pretrained weights, and says what our own network says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from encoders import MINILM
from exported_models import TOLERANCE, made, scores
from peft import PeftModel
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from harness.errors import BlobError, TrainerError, UsageError
from harness.learning.exporting import Source, refusal, write_adapter
from harness.learning.tensors import read_state, write_state
from harness.profiles import FraProfile, Method, TaskName

# PEFT asks transformers for something by its old name.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

FEDERA = {"initialisation": "federa"}
PLAIN: dict[TaskName, Any] = {
    "text-classification": AutoModelForSequenceClassification,
    "token-classification": AutoModelForTokenClassification,
    "question-answering": AutoModelForQuestionAnswering,
}


def loaded(source: Source, adapter: Path) -> PeftModel:
    """As anybody would load it who has the pretrained encoder, whose file may be of float16."""
    base = PLAIN[source.task].from_pretrained(source.base, num_labels=source.labels, dtype="float32")
    return PeftModel.from_pretrained(base, adapter).eval()


@pytest.mark.parametrize(
    ("method", "settings", "rank"),
    [
        ("fedlr", {}, 4),
        ("federa", {}, 8),
        ("ffa", {}, 4),
        ("ffa", FEDERA, 8),
        ("fra", {}, 4),
        ("fra", FEDERA, 8),
        ("fra", {"fra": FraProfile(aggregate="increment"), **FEDERA}, 4),
        ("fra-ffa", FEDERA, 8),
        ("flexlora", {"ranks": (2, 4)}, 4),
        ("hetlora", {"ranks": (2, 4)}, 4),
        ("rolora", FEDERA, 8),
        ("fedsa", {}, 4),
        ("fedsvd", FEDERA, 8),
        ("slora", {"switch_round": 1}, 4),
        ("lora-fair", {}, 4),
        ("central", FEDERA, 8),
    ],
)
def test_an_adapter_says_what_the_run_s_own_network_says(
    method: Method, settings: dict[str, Any], rank: int, tmp_path: Path
) -> None:
    source, network = made(tmp_path, method, **settings)
    assert write_adapter(source, tmp_path / "out") == rank
    ours = scores(network.model, source.task)
    torch.testing.assert_close(scores(loaded(source, tmp_path / "out"), source.task), ours, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(
    "architecture", ["roberta", "distilbert", "deberta-v2", "modernbert", "albert", "electra", "mpnet"]
)
def test_heads_and_layers_of_other_architectures_go_along(architecture: str, tmp_path: Path) -> None:
    source, network = made(tmp_path, "federa", architecture)
    write_adapter(source, tmp_path / "out")
    ours = scores(network.model, source.task)
    torch.testing.assert_close(scores(loaded(source, tmp_path / "out"), source.task), ours, atol=TOLERANCE, rtol=0)


@pytest.mark.skipif(not MINILM.is_dir(), reason=f"the pretrained MiniLM is not in {MINILM.parent}")
def test_a_real_pretrained_encoder(tmp_path: Path) -> None:
    source, network = made(tmp_path, "federa", base=MINILM, rank=32, alpha=32.0)
    assert write_adapter(source, tmp_path / "out") == 64
    plain = loaded(source, tmp_path / "out")
    torch.testing.assert_close(scores(plain, source.task), scores(network.model, source.task), atol=TOLERANCE, rtol=0)
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (MINILM / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("task", ["token-classification", "question-answering"])
def test_heads_of_other_tasks_go_along(task: TaskName, tmp_path: Path) -> None:
    source, network = made(tmp_path, "federa", "roberta", task)
    write_adapter(source, tmp_path / "out")
    ours = scores(network.model, task)
    torch.testing.assert_close(scores(loaded(source, tmp_path / "out"), task), ours, atol=TOLERANCE, rtol=0)


def test_the_config_names_rank_alpha_layers_and_base(tmp_path: Path) -> None:
    source, _ = made(tmp_path, "federa")
    write_adapter(source, tmp_path / "out")
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["task_type"]) == (8, 16, "SEQ_CLS")  # s = 8 / 4 = 16 / 8
    assert config["base_model_name_or_path"] == str(source.base)
    layers = [f"bert.encoder.layer.{layer}.attention.self.{part}" for layer in (0, 1) for part in ("query", "value")]
    assert config["target_modules"] == layers
    assert "bert.pooler" in config["modules_to_save"]


def test_equal_exports_give_equal_bytes(tmp_path: Path) -> None:
    source, _ = made(tmp_path, "federa")
    for name in ("one", "two"):
        write_adapter(source, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("method", "settings", "why"),
    [
        ("fedft", {}, "fedft trains weights of the encoder itself, which are no adapter; use --merged DIR"),
        ("fedbf", {}, "fedbf trains weights of the encoder itself, which are no adapter; use --merged DIR"),
        ("fedap", {}, "fedap's bottlenecks are layers that neither PEFT nor"),
        ("fedex", {}, "fedex has added more than rank r to the frozen weights of this run"),
        ("flora", {}, "flora has added more than rank r to the frozen weights of this run"),
        ("fra", {"fra": FraProfile(residual="fold")}, "fra has added more than rank r to the frozen weights"),
        ("slora", {}, "slora's first stage trains single weights of the encoder, and no factors yet; use --merged DIR"),
    ],
)
def test_what_is_no_adapter_is_refused_with_what_to_do(
    method: Method, settings: dict[str, Any], why: str, tmp_path: Path
) -> None:
    source, _ = made(tmp_path, method, **settings)
    fault = refusal(method, source.checkpoint, "peft")
    assert fault is not None
    assert fault.startswith(why)
    with pytest.raises(UsageError, match=f"^{why}"):
        write_adapter(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_another_model_or_without_a_factor_is_an_error(tmp_path: Path) -> None:
    source, _ = made(tmp_path, "federa")
    state = read_state(source.checkpoint)
    gone = next(name for name in state if name.endswith("lora_A.weight"))
    write_state(source.checkpoint, {name: tensor for name, tensor in state.items() if name != gone})
    with pytest.raises(BlobError, match=f"lacks the factor {gone}"):
        write_adapter(source, tmp_path / "out")
    write_state(source.checkpoint, state | {"classifier.bias": torch.zeros(7)})
    with pytest.raises(TrainerError, match=r"tensor classifier.bias of .* does not fit the model in .*--models"):
        write_adapter(source, tmp_path / "out")
