"""Evaluation: the right numbers, whatever the order and the batches."""

from pathlib import Path

import pytest
import torch
from encoders import spec_of, write_encoder, write_shard, write_texts
from safetensors.torch import load_file, save_file
from torch.nn import functional

from harness.errors import TrainerError
from harness.learning.data.encode import Encoded, read_shard
from harness.learning.evaluator import Evaluator
from harness.learning.methods import initial_state
from harness.learning.models import build_model
from harness.learning.tasks.text_classification import TextScorer
from harness.learning.tensors import write_state
from harness.profiles import METHODS, Method


def prepared(tmp_path: Path, method: Method) -> tuple[Path, Path]:
    base, state = tmp_path / "base", tmp_path / f"{method}.safetensors"
    write_encoder(base, "roberta")
    write_state(state, initial_state(base, spec_of(method), seed=0).state)
    return base, state


def evaluator_of(base: Path, method: Method, init: Path | None, shard: Path, batch_size: int = 4) -> Evaluator:
    return Evaluator(base, spec_of(method), init, shard, TextScorer, batch_size)


def reference(base: Path, shard: Encoded) -> dict[str, float]:
    """One text at a time, with the bare model."""
    model = build_model(base, "text-classification", 4, head_seed=0).eval()
    with torch.inference_mode():
        texts = [torch.from_numpy(shard.input_ids[shard.row(i)])[None].long() for i in range(len(shard))]
        logits = torch.cat([model(input_ids=text, attention_mask=torch.ones_like(text)).logits for text in texts])
    labels = torch.from_numpy(shard.labels)
    accuracy = (logits.argmax(-1) == labels).double().mean()
    return {"accuracy": float(accuracy), "loss": float(functional.cross_entropy(logits.double(), labels))}


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fedap"])
def test_batches_give_what_single_texts_give(tmp_path: Path, method: Method) -> None:
    base, state = prepared(tmp_path, method)
    shard = write_shard(tmp_path / "test", 37)
    got = evaluator_of(base, method, state, shard, batch_size=8).evaluate(state)
    assert got == pytest.approx(reference(base, read_shard(shard)), abs=1e-5)


def test_the_order_of_the_texts_has_no_effect(tmp_path: Path) -> None:
    base, state = prepared(tmp_path, "fedlr")
    texts, labels = [[5, 6, 7 + i % 3, 8 + i][: 2 + i % 3] for i in range(20)], [i % 4 for i in range(20)]
    results = []
    for order in (range(20), reversed(range(20))):
        picked = list(order)
        shard = write_texts(tmp_path / "test", [texts[i] for i in picked], [labels[i] for i in picked])
        results.append(evaluator_of(base, "fedlr", None, shard, batch_size=3).evaluate(state))
    assert results[0]["accuracy"] == results[1]["accuracy"]
    assert results[0]["loss"] == pytest.approx(results[1]["loss"], abs=1e-9)


def test_states_do_not_mix_and_progress_is_told(tmp_path: Path) -> None:
    base, state = prepared(tmp_path, "fedft")
    other = tmp_path / "other"
    write_state(other, initial_state(base, spec_of("fedft"), seed=1).state)
    evaluator = evaluator_of(base, "fedft", None, write_shard(tmp_path / "test", 10), batch_size=4)
    told: list[float] = []
    first = evaluator.evaluate(state, told.append)
    assert evaluator.evaluate(other) != first
    assert evaluator.evaluate(state) == first
    assert told == [0.4, 0.8, 1.0]


def test_a_state_that_overflows_is_refused(tmp_path: Path) -> None:
    base, state = prepared(tmp_path, "fedlr")
    tensors = load_file(state)
    tensors["classifier.out_proj.weight"].fill_(3e38)
    save_file(tensors, state)
    evaluator = evaluator_of(base, "fedlr", None, write_shard(tmp_path / "test", 10), batch_size=4)
    with pytest.raises(TrainerError, match="not finite; lower the learning rate"):
        evaluator.evaluate(state)


def test_a_client_s_own_model_is_what_it_was_given_and_what_it_trained(tmp_path: Path) -> None:
    """Of FFA-LoRA: A is nowhere in either file."""
    base, checkpoint = prepared(tmp_path, "ffa")
    tensors = load_file(checkpoint)
    given = {name: tensor for name, tensor in tensors.items() if not name.endswith("lora_A.weight")}
    trained = {name: tensor + 0.1 for name, tensor in given.items()}
    save_file(given, tmp_path / "given")
    save_file(trained, tmp_path / "update")
    save_file(tensors | trained, tmp_path / "after")
    evaluator = evaluator_of(base, "ffa", checkpoint, write_shard(tmp_path / "test", 10))
    own = evaluator.evaluate(tmp_path / "given", round=1, update=tmp_path / "update")
    assert own == evaluator.evaluate(tmp_path / "after", round=1) != evaluator.evaluate(checkpoint)


def test_an_update_of_another_form_is_refused(tmp_path: Path) -> None:
    base, checkpoint = prepared(tmp_path, "rolora")
    tensors = load_file(checkpoint)
    evaluator = evaluator_of(base, "rolora", None, write_shard(tmp_path / "test", 10))
    with pytest.raises(TrainerError, match=r"the update has the unknown tensor .*lora_.\.weight"):
        evaluator.evaluate(checkpoint, round=1, update=checkpoint)
    save_file({name: tensor for name, tensor in tensors.items() if "lora" not in name}, tmp_path / "update")
    with pytest.raises(TrainerError, match=r"the update lacks tensor .*lora_.\.weight"):
        evaluator.evaluate(checkpoint, round=2, update=tmp_path / "update")


def test_an_empty_test_split_is_refused(tmp_path: Path) -> None:
    base, _ = prepared(tmp_path, "fedlr")
    with pytest.raises(TrainerError, match="holds no samples"):
        evaluator_of(base, "fedlr", None, write_texts(tmp_path / "test", [], []), batch_size=4)
