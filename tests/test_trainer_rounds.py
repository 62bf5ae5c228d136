"""Local training in the rounds of every method: what is trained, what a lean state stands for, what a model is."""

from pathlib import Path
from typing import Any

import pytest
import torch
from encoders import write_encoder, write_shard
from safetensors.torch import load_file, save_file
from trained_rounds import TrainedRounds

from harness.errors import TrainerError
from harness.learning.forms import CONTROL, A, B, form_of, kind_of
from harness.learning.models import build_model
from harness.profiles import AGGREGATION_METHODS, METHODS, Method
from harness.tensorfile import layout

LEAN: list[tuple[Method, dict[str, Any]]] = [
    ("rolora", {}),
    ("fra-ffa", {"switch_round": 1}),
    ("flora", {}),
    ("flora", {"initialisation": "federa"}),
    ("fedex", {"initialisation": "federa"}),
    ("fra", {"fra": {"residual": "fold"}}),
    ("fra-ffa", {"switch_round": 2, "fra": {"residual": "fold"}}),
]


@pytest.mark.parametrize(("method", "settings"), LEAN)
def test_a_lean_state_is_the_whole_one_to_the_bit(tmp_path: Path, method: Method, settings: dict[str, Any]) -> None:
    """One trainer takes a lean state wherever there is one, the other the whole one."""
    rounds = TrainedRounds(tmp_path, method, **settings)
    steady, other, offered = rounds.trainer(), rounds.trainer(), 0
    for _ in range(4):
        updates = {client: rounds.train(other, client, rounds.given(client).whole) for client in (0, 1)}
        wanted, given = updates[0].read_bytes(), rounds.given(0)
        offered += given.lean is not None
        rounds.train(steady, 0, given.lean.path if given.lean else given.whole)
        assert updates[0].read_bytes() == wanted
        rounds.close(updates)
    assert offered >= 2


def test_a_lean_state_needs_the_one_before(tmp_path: Path) -> None:
    rounds = TrainedRounds(tmp_path, "flora")
    trainer = rounds.trainer()
    rounds.run_round(trainer)
    whole, lean = rounds.given(0).whole, rounds.given(0).lean
    assert lean is not None
    with pytest.raises(TrainerError, match="new since round 1, whose state this trainer does not hold; send the whole"):
        rounds.trainer().load(lean.path, rounds.shards[0], 2)
    updates = [rounds.train(trainer, 0, state).read_bytes() for state in (lean.path, lean.path, whole)]
    assert updates[0] == updates[1] == updates[2]  # a change is never added twice
    with pytest.raises(TrainerError, match="has label"):
        trainer.load(whole, write_shard(tmp_path / "labels", 40, labels=9), 2)
    rounds.run_round(trainer)
    lean = rounds.given(0).lean
    assert lean is not None
    trainer.load(lean.path, rounds.shards[0], 3)


@pytest.mark.parametrize("method", METHODS)
def test_what_a_round_trains_is_sent_and_moved(tmp_path: Path, method: Method) -> None:
    rounds = TrainedRounds(
        tmp_path, method, clients=1, **({"switch_round": 1} if method in ("fra-ffa", "slora") else {})
    )
    trainer = rounds.trainer()
    for round in (1, 2, 3):
        given = rounds.given(0)
        updates = rounds.run_round(trainer)
        assert layout(updates[0]) == given.update
        before, after = load_file(given.whole), load_file(updates[0])
        form = form_of(method, rounds.spec.settings, round)
        assert {kind_of(name) for name in after} == form.trained
        still = {name for name in after if name in before and torch.equal(before[name], after[name])}
        # A moves once B is not zero.
        assert {kind_of(name) for name in still} <= ({"A"} if (method, round) == ("rolora", 1) else set())


@pytest.mark.parametrize("initialisation", ["gaussian", "federa"])
@pytest.mark.parametrize("method", [method for method in AGGREGATION_METHODS if method != "slora"])
def test_of_one_client_the_checkpoint_is_its_own_model(tmp_path: Path, method: Method, initialisation: str) -> None:
    """Nothing is lost by averaging one update: frozen weights, their change and the factors make the same model."""
    if method in ("flexlora", "hetlora"):
        initialisation = "gaussian"  # they have no other one
    own = {"fair_weight": 1e3} if method == "lora-fair" else {}
    rounds = TrainedRounds(tmp_path, method, clients=1, initialisation=initialisation, lr=5e-3, **own)
    trainer, evaluator = rounds.trainer(), rounds.evaluator()
    losses = [evaluator.evaluate(rounds.checkpoints[0])["loss"]]
    for round in (1, 2):
        whole = rounds.given(0).whole
        update = rounds.run_round(trainer)[0]
        client = evaluator.evaluate(whole, round=round, update=update)
        losses.append(evaluator.evaluate(rounds.checkpoints[-1], round=round)["loss"])
        assert losses[-1] == pytest.approx(client["loss"], abs=2e-5)
        assert abs(losses[-1] - losses[-2]) > 1e-4
    assert rounds.evaluator().evaluate(rounds.checkpoints[1], round=1)["loss"] == losses[1]


def test_the_sparse_stage_ends_in_factors(tmp_path: Path) -> None:
    rounds = TrainedRounds(tmp_path, "slora", clients=1, switch_round=2, density=0.1, lr=5e-3)
    trainer, evaluator = rounds.trainer(), rounds.evaluator()
    whole = rounds.given(0).whole
    first = rounds.run_round(trainer)[0]
    own = evaluator.evaluate(whole, round=1, update=first)
    assert own == evaluator.evaluate(rounds.checkpoints[1], round=1)
    values = [tensor for name, tensor in load_file(first).items() if kind_of(name) == "sparse"]
    assert [tensor.shape for tensor in values] == [(410,)] * 4
    rounds.run_round(trainer)
    assert {kind_of(name) for name in load_file(rounds.checkpoints[2])} == {"A", "B", "rest"}
    rounds.run_round(trainer)
    assert evaluator.evaluate(rounds.checkpoints[3], round=3) == rounds.evaluator().evaluate(
        rounds.checkpoints[3], round=3
    )
    assert evaluator.evaluate(rounds.checkpoints[1], round=1) == own  # and back


def test_fresh_factors_are_the_same_at_every_client_and_others_in_each_round(tmp_path: Path) -> None:
    rounds = TrainedRounds(tmp_path, "flora", lr=1e-9)  # a step so small that an update tells what it began with
    one, other = rounds.run_round(rounds.trainer()).values()
    later = rounds.run_round(rounds.trainer())[0]
    begun = [
        {name: tensor for name, tensor in load_file(path).items() if name.endswith((A, B))}
        for path in (one, other, later)
    ]
    for name, tensor in begun[0].items():
        torch.testing.assert_close(tensor, begun[1][name], rtol=0, atol=1e-7)
        assert torch.allclose(tensor, begun[2][name], atol=1e-7) == name.endswith(B)


def test_increments_are_taken_over_the_pretrained_weights(tmp_path: Path) -> None:
    """In round 1 the frozen weights are residuals, from round 2 on W0 itself."""
    rounds = TrainedRounds(tmp_path, "fra", initialisation="federa", fra={"aggregate": "increment"})
    trainer = rounds.trainer()
    model = build_model(write_encoder(tmp_path / "again", "roberta"), "text-classification", 4, head_seed=None)
    layer = next(iter(rounds.initial.layers))
    pretrained = model.get_parameter(f"{layer}.weight").detach()
    frozen = trainer._network.model.get_parameter(f"{layer}.base_layer.weight")
    principal = 1.5 * rounds.initial.state[layer + B] @ rounds.initial.state[layer + A]
    for round, wanted in ((1, pretrained - principal), (2, pretrained)):
        rounds.run_round(trainer)
        assert rounds.round == round + 1
        torch.testing.assert_close(frozen.detach(), wanted, rtol=0, atol=1e-6)
    trainer.load(rounds.checkpoints[0], rounds.shards[0], 1)
    torch.testing.assert_close(frozen.detach(), pretrained - principal, rtol=0, atol=1e-6)


def test_a_lower_rank_is_trained_as_if_the_other_components_were_not_there(tmp_path: Path) -> None:
    ranked = TrainedRounds(tmp_path / "ranked", "hetlora", ranks=[2, 4], alpha=8.0)
    low = TrainedRounds(tmp_path / "low", "fedlr", rank=2, alpha=4.0)
    state = ranked.given(0).whole
    updates = [load_file(rounds.train(rounds.trainer(), 0, state)) for rounds in (ranked, low)]
    assert {tensor.shape for name, tensor in updates[0].items() if name.endswith(A)} == {(2, 64)}
    for name, tensor in updates[1].items():
        torch.testing.assert_close(updates[0][name], tensor, rtol=0, atol=1e-6)


def test_scaffold_sends_a_control_variate_of_each_tensor(tmp_path: Path) -> None:
    """A mean gradient: AdamW's first step follows its sign, and has not its size."""
    rounds = TrainedRounds(tmp_path, "ffa", scaffold=True, lr=1e-3)
    trainer = rounds.trainer()
    given = rounds.given(0)
    trainer.load(given.whole, write_shard(tmp_path / "one-step", 4), 1)
    assert trainer.train(0, 1).steps == 1
    trainer.save(tmp_path / "update")
    update, begun = load_file(tmp_path / "update"), load_file(given.whole)
    assert update.keys() == {one.name for one in given.update.tensors}
    for name in [name for name in update if kind_of(name) is not None]:
        gradient, moved = update[CONTROL + name], begun[name] - update[name]
        clear = gradient.abs() > 1e-6
        assert bool(clear.any())
        torch.testing.assert_close(moved[clear], 1e-3 * gradient[clear].sign(), rtol=0.02, atol=1e-6)
    rounds.run_round(trainer)
    second = rounds.given(0)
    with_control = rounds.train(trainer, 0, second.whole).read_bytes()
    state = load_file(second.whole)
    save_file({n: t * (0 if n.startswith(CONTROL) else 1) for n, t in state.items()}, tmp_path / "without")
    assert rounds.train(trainer, 0, tmp_path / "without").read_bytes() != with_control


def test_fedprox_stays_near_what_it_was_given(tmp_path: Path) -> None:
    moved = []
    for prox in (0.0, 1e4):
        rounds = TrainedRounds(tmp_path / str(prox), "fedlr", prox=prox)
        update = load_file(rounds.train(rounds.trainer(), 0, rounds.given(0).whole))
        moved.append(sum(float((update[name] - rounds.initial.state[name]).norm()) for name in update))
    assert moved[1] < 0.8 * moved[0]


def test_a_state_of_another_stage_is_refused(tmp_path: Path) -> None:
    rounds = TrainedRounds(tmp_path, "slora", switch_round=1)
    rounds.run_round(rounds.trainer())
    with pytest.raises(TrainerError, match=r"the state has the unknown tensor .*lora_A\.weight"):
        rounds.trainer().load(rounds.checkpoints[1], rounds.shards[0], 1)
    with pytest.raises(TrainerError, match="the state lacks tensor"):
        rounds.trainer().load(rounds.checkpoints[0], rounds.shards[0], 2)
