"""What each method trains, how many parameters that is, and that it starts where the paper says."""

from pathlib import Path

import pytest
import torch
from encoders import MINILM, roberta_base_config, some_batch, spec_of, write_encoder
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from harness.errors import TrainerError, UsageError
from harness.learning.architectures import KNOWN
from harness.learning.methods import attach, initial_state
from harness.learning.models import build_model, head_names
from harness.learning.reach import scores_of
from harness.profiles import FEDERA_METHODS, METHODS, Method, TaskName

FULL_ROBERTA_BASE = {"fedft": 124_055_040, "fedbf": 102_144, "fedap": 1_789_056}
ONE_FACTOR = {"ffa": 589_824, "fedsvd": 589_824}
SPARSE = {"slora": 1_179_648 + 24 * 35_389}  # 6 % of each matrix in the first stage
ROBERTA_BASE = dict.fromkeys(METHODS, 1_179_648) | FULL_ROBERTA_BASE | ONE_FACTOR | SPARSE


TASKS: dict[TaskName, int] = {"text-classification": 4, "token-classification": 5, "question-answering": 2}


@pytest.fixture(scope="module", name="bases")
def bases_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small encoders of each known architecture."""
    folder = tmp_path_factory.mktemp("bases")
    for architecture in KNOWN:
        write_encoder(folder / architecture, architecture)
    return folder


def bare(base: Path, labels: int = 4, head_seed: int | None = 0) -> PreTrainedModel:
    return build_model(base, "text-classification", labels, head_seed)


def scores(model: PreTrainedModel, task: TaskName = "text-classification") -> torch.Tensor:
    ids, mask = some_batch()
    return scores_of(model(input_ids=ids, attention_mask=mask), task)


def logits(model: PreTrainedModel) -> torch.Tensor:
    with torch.inference_mode():
        return scores(model)


@pytest.mark.parametrize("method", METHODS)
def test_parameters_of_roberta_base_are_the_papers(method: Method) -> None:
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(roberta_base_config())
    layers = [f"roberta.encoder.layer.{i}.attention.self.{part}" for i in range(12) for part in ("query", "value")]
    shapes = {"lora_A": (32, 768), "lora_B": (768, 32)}
    factors = {f"{at}.{n}.weight": torch.empty(s, device="meta") for at in layers for n, s in shapes.items()}
    attached = attach(model, spec_of(method, rank=32, alpha=32.0, reduction=16), factors)
    assert attached.parameters.adapter == ROBERTA_BASE[method]
    assert attached.parameters.head == 605_972
    added = {"fedft": 0, "fedbf": 0, "fedap": 1_789_056}.get(method, 1_179_648)
    assert attached.parameters.total == 124_055_040 + 605_972 + added


@pytest.mark.parametrize("architecture", KNOWN)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("method", FEDERA_METHODS)
def test_every_architecture_trains_what_it_sends(
    bases: Path, architecture: str, task: TaskName, method: Method
) -> None:
    """All that travels gets a gradient, nothing else does, the output is unchanged at first, and states come back."""
    if (architecture, method) == ("modernbert", "fedbf"):
        return  # it has no biases: see below
    base, spec = bases / architecture, spec_of(method, TASKS[task], task=task, alpha=10.0)
    initial = initial_state(base, spec, seed=0)
    model = build_model(base, task, spec.labels, head_seed=0)
    head = head_names(model)
    with torch.inference_mode():
        before = scores(model, task)
    attached = attach(model, spec, initial.state)
    attached.load(initial.state)
    after = scores(model, task)
    # Houlsby adapters start near the identity, not at it: normal(0, 0.02) twice.
    torch.testing.assert_close(after.detach(), before, rtol=0, atol=3e-2 if method == "fedap" else 1e-5)
    assert not (method == "fedap" and torch.equal(after, before))
    after.logsumexp(-1).sum().backward()
    assert [name for name, tensor in attached.trainable.items() if tensor.grad is None] == []
    assert sum(tensor.requires_grad for tensor in model.parameters()) == len(attached.trainable)
    state = attached.state()
    assert list(state) == sorted(initial.state)
    assert all(torch.equal(tensor, initial.state[name]) for name, tensor in state.items())
    assert head < state.keys()


def test_an_encoder_without_biases_cannot_do_bias_tuning(bases: Path) -> None:
    with pytest.raises(UsageError, match="'modernbert' have no biases; use another method"):
        initial_state(bases / "modernbert", spec_of("fedbf"), seed=0)


def test_biases_by_other_names_are_biases(bases: Path) -> None:
    state = initial_state(bases / "deberta", spec_of("fedbf"), seed=0).state
    assert {"deberta.encoder.layer.0.attention.self.q_bias", "deberta.encoder.layer.1.output.dense.bias"} < state.keys()


@pytest.mark.skipif(not MINILM.is_dir(), reason="the shared MiniLM is not here")
@pytest.mark.parametrize("alpha", [32.0, 64.0])
def test_federa_leaves_minilms_output_as_it_was(alpha: float) -> None:
    spec = spec_of("federa", labels=20, rank=32, alpha=alpha)
    before = logits(bare(MINILM, 20))
    initial = initial_state(MINILM, spec, seed=0)
    model = bare(MINILM, 20, head_seed=None)
    attach(model, spec, initial.state).load(initial.state)
    torch.testing.assert_close(logits(model), before, rtol=0, atol=1e-5)
    assert initial.svd_s > 0
    assert initial.parameters.adapter == 12 * 32 * 768


def test_federa_freezes_the_residual_of_the_weights(tmp_path: Path) -> None:
    base = write_encoder(tmp_path, "distilbert")
    spec = spec_of("federa", alpha=12.0)
    layer = "distilbert.transformer.layer.1.attention.v_lin"
    weight = bare(base, 2, head_seed=0).get_parameter(f"{layer}.weight").detach().double()
    initial = initial_state(base, spec, seed=0).state
    model = bare(base, spec.labels, head_seed=None)
    attach(model, spec, initial)
    u, s, vh = torch.linalg.svd(weight, full_matrices=False)
    residual = (u[:, 4:] * s[4:]) @ vh[4:]
    frozen = model.get_parameter(f"{layer}.base_layer.weight").detach()
    assert float((frozen.double() - residual).norm() / residual.norm()) < 1e-5
    factors = initial[f"{layer}.lora_B.weight"].double() @ initial[f"{layer}.lora_A.weight"].double()
    torch.testing.assert_close(frozen.double() + 3.0 * factors, weight, rtol=0, atol=1e-8)


def test_factors_of_another_rank_are_refused(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    initial = initial_state(base, spec_of("federa", rank=2), seed=0)
    with pytest.raises(TrainerError, match=r"no bert\.encoder.*query\.lora_A\.weight of shape \[4, 64\]"):
        attach(bare(base, 4, head_seed=None), spec_of("federa", rank=4), initial.state)


@pytest.mark.parametrize("method", METHODS)
def test_the_initial_state_depends_on_its_seed_alone(tmp_path: Path, method: Method) -> None:
    base = write_encoder(tmp_path, "roberta")
    states = []
    for seed, noise in ((3, 1), (3, 2), (4, 2)):
        torch.manual_seed(noise)
        states.append(initial_state(base, spec_of(method), seed).state)
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_all_methods_start_with_the_same_head(tmp_path: Path) -> None:
    base = write_encoder(tmp_path, "deberta-v2")
    states = [initial_state(base, spec_of(method), 0).state for method in METHODS]
    for name in head_names(bare(base, 4, None)):
        assert all(torch.equal(state[name], states[0][name]) for state in states)


def test_lora_starts_with_b_zero_and_a_as_peft_draws_it(tmp_path: Path) -> None:
    state = initial_state(write_encoder(tmp_path), spec_of("fedlr", rank=32), 0).state
    a = state["bert.encoder.layer.0.attention.self.query.lora_A.weight"]
    assert not state["bert.encoder.layer.0.attention.self.query.lora_B.weight"].any()
    bound = 64**-0.5  # Kaiming uniform with a = sqrt(5) is uniform within 1 / sqrt(inputs)
    assert float(a.abs().max()) <= bound
    assert float(a.std()) == pytest.approx(bound / 3**0.5, rel=0.05)


def test_adapters_start_with_small_weights_and_zero_biases(tmp_path: Path) -> None:
    state = initial_state(write_encoder(tmp_path), spec_of("fedap", reduction=2), 0).state
    adapters = {name: tensor for name, tensor in state.items() if ".adapter." in name}
    assert len(adapters) == 2 * 2 * 4
    assert all(not tensor.any() for name, tensor in adapters.items() if name.endswith("bias"))
    weights = torch.cat([tensor.flatten() for name, tensor in adapters.items() if name.endswith("weight")])
    assert float(weights.std()) == pytest.approx(0.02, rel=0.05)
    assert adapters["bert.encoder.layer.0.attention.output.adapter.down.weight"].shape == (32, 64)


def test_an_adapter_sits_between_the_sublayer_and_the_residual_add(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    model = bare(base, 4, head_seed=0).eval()
    attached = attach(model, spec_of("fedap"), None)
    initial = initial_state(base, spec_of("fedap"), 0).state
    attached.load(initial)
    block = model.get_submodule("bert.encoder.layer.0.output")
    x, residual = torch.randn(2, 128), torch.randn(2, 64)
    with torch.inference_mode():
        sublayer = block.dense(x)
        down, up = block.adapter.down, block.adapter.up
        adapted = sublayer + up(torch.nn.functional.silu(down(sublayer)))
        torch.testing.assert_close(block(x, residual), block.LayerNorm(adapted + residual))


def test_bias_tuning_trains_the_biases_and_the_head(tmp_path: Path) -> None:
    model = bare(write_encoder(tmp_path), 4, head_seed=0)
    trained = attach(model, spec_of("fedbf"), None).trainable
    biases = {name for name, _ in model.named_parameters() if name.endswith(".bias")}
    assert trained.keys() == biases | head_names(model)
    assert "bert.embeddings.LayerNorm.bias" in trained


def test_a_rank_above_the_width_names_the_layer(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"rank 65 .*layer\.0\.attention\.self\.query"):
        initial_state(write_encoder(tmp_path), spec_of("federa", rank=65), 0)


def test_a_reduction_above_the_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="reduction 65 is above the model's width 64"):
        initial_state(write_encoder(tmp_path), spec_of("fedap", reduction=65), 0)


def test_a_state_of_another_method_is_refused(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    attached = attach(bare(base, 4, None), spec_of("fedlr"), None)
    with pytest.raises(TrainerError, match="made for another method or model"):
        attached.load(initial_state(base, spec_of("fedbf"), 0).state)
    with pytest.raises(TrainerError, match=r"\[2, 64\] instead of \[4, 64\]"):
        attached.load(initial_state(base, spec_of("fedlr", rank=2), 0).state)
