"""What is the same of every method: order, checks, the head, what a checkpoint holds, what aggregating lost."""

from pathlib import Path

import numpy as np
import pytest
from adapted_rounds import Rounds, made_ground

from harness.errors import BlobError, TrainerError
from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Update
from harness.learning.aggregation.mean import weighted_mean
from harness.learning.aggregation.registry import strategy_of
from harness.profiles import AGGREGATION_METHODS, Method

SETTINGS: dict[str, dict[str, object]] = {
    "flexlora": {"ranks": [2, 1]},
    "hetlora": {"ranks": [2, 1]},
    "fra-ffa": {"switch_round": 2},
    "slora": {"switch_round": 2, "density": 0.3},
}


@pytest.mark.parametrize("method", AGGREGATION_METHODS)
def test_any_order_of_arrival_gives_the_same_bits(method: Method, tmp_path: Path) -> None:
    rounds = Rounds(made_ground(tmp_path, method, **SETTINGS.get(method, {})), tmp_path)
    for round in (1, 2, 3):
        before, updates = rounds.checkpoints[-1], rounds.updates()
        done = rounds.close(updates)
        other = tmp_path / f"other-{round}"
        again = strategy_of(rounds.ground).aggregate(round, before, updates[::-1], other, tmp_path / "beside")
        assert again == done
        assert other.read_bytes() == rounds.checkpoints[-1].read_bytes()
        stack = tmp_path / f"outgoing/round-{round + 1:04d}/stack.safetensors"
        if stack.exists():
            assert (tmp_path / "beside/stack.safetensors").read_bytes() == stack.read_bytes()


@pytest.mark.parametrize("method", AGGREGATION_METHODS)
def test_what_a_resumed_run_gives_and_makes_is_the_same(method: Method, tmp_path: Path) -> None:
    """A strategy that is made anew after each round knows nothing but files."""
    steady, resumed = (_begun(tmp_path / name, method) for name in ("steady", "resumed"))
    for _ in range(3):
        resumed.strategy = strategy_of(resumed.ground)
        assert steady.close(steady.updates()) == resumed.close(resumed.updates())
        resumed.strategy = strategy_of(resumed.ground)
        for client in range(3):
            mine, its = steady.outgoing(client), resumed.outgoing(client)
            assert (mine.sha256, mine.update) == (its.sha256, its.update)
            assert (mine.lean and (mine.lean.sha256, mine.lean.since)) == (
                its.lean and (its.lean.sha256, its.lean.since)
            )


def _begun(folder: Path, method: Method) -> Rounds:
    folder.mkdir()
    return Rounds(made_ground(folder, method, **SETTINGS.get(method, {})), folder)


@pytest.mark.parametrize("method", AGGREGATION_METHODS)
def test_the_head_is_the_mean_by_samples(method: Method, tmp_path: Path) -> None:
    rounds = Rounds(made_ground(tmp_path, method, **SETTINGS.get(method, {})), tmp_path)
    updates = rounds.updates()
    heads = []
    for update in updates:
        heads.append((tmp_path / f"head-{update.client}", update.samples))
        files.write(heads[-1][0], {"head.weight": files.read(update.path)["head.weight"]})
    rounds.close(updates)
    weighted_mean(heads, tmp_path / "mean")
    found = files.read(rounds.checkpoints[-1])["head.weight"]
    assert np.array_equal(found, files.read(tmp_path / "mean")["head.weight"])


@pytest.mark.parametrize(
    ("method", "round", "common"), [("ffa", 1, "A"), ("rolora", 1, "A"), ("rolora", 2, "B"), ("fra-ffa", 3, "A")]
)
def test_a_factor_that_no_client_trains_stays_to_the_bit(
    method: Method, round: int, common: str, tmp_path: Path
) -> None:
    rounds = Rounds(made_ground(tmp_path, method, initialisation="federa", **SETTINGS.get(method, {})), tmp_path)
    errors = rounds.run(round)[-1].errors
    before, after = (files.read(path) for path in rounds.checkpoints[-2:])
    for name in after:
        if forms.kind_of(name) == common:
            assert np.array_equal(before[name], after[name])
    assert errors is not None
    assert errors.averaging == 0.0
    assert errors.made is not None
    assert errors.made < 1e-12


def test_what_feedback_leaves_over_is_kept_by_the_server_and_never_given(tmp_path: Path) -> None:
    rounds = Rounds(made_ground(tmp_path, "fra", fra={"residual": "feedback"}), tmp_path)
    rounds.run(1)
    kept = files.read(rounds.checkpoints[-1])
    assert kept["server/feedback/encoder.0.query"].any()
    given = rounds.outgoing(0)
    assert {name for name in kept if not name.startswith("server/")} == files.read(given.whole).keys()


def test_increments_are_over_the_pretrained_weights_from_the_second_round_on(tmp_path: Path) -> None:
    """With a rank that holds all of it, the factors after round 1 are what was learned; nothing is lost."""
    settings = {"rank": 5, "initialisation": "federa", "fra": {"aggregate": "increment"}}
    ground = made_ground(tmp_path, "fra", layers={"layer": (5, 6)}, **settings)
    rounds = Rounds(ground, tmp_path)
    updates = rounds.updates()
    errors = rounds.close(updates).errors
    weights = [update.samples / sum(one.samples for one in updates) for update in updates]
    start, after = files.read(ground.initial), files.read(rounds.checkpoints[-1])
    wanted = -start["layer" + forms.B] @ start["layer" + forms.A]
    for weight, update in zip(weights, updates, strict=True):
        learned = files.read(update.path)
        wanted += weight * learned["layer" + forms.B] @ learned["layer" + forms.A]
    assert np.allclose(after["layer" + forms.B] @ after["layer" + forms.A], wanted, atol=1e-5)
    assert errors is not None
    assert errors.made is not None
    assert errors.made < 1e-9


def test_what_cannot_be_aggregated_is_refused_in_a_sentence(tmp_path: Path) -> None:
    rounds = Rounds(made_ground(tmp_path, "fra"), tmp_path)
    good, bad = rounds.updates([0, 1])
    with pytest.raises(TrainerError, match="no updates"):
        rounds.close([])
    with pytest.raises(TrainerError, match="reports 0 samples"):
        rounds.close([good, Update(1, bad.path, 0)])
    tensors = files.read(bad.path)
    name = "encoder.0.value" + forms.A
    files.write(bad.path, tensors | {name: tensors[name] * np.nan})
    with pytest.raises(TrainerError, match=r"tensor encoder.0.value.lora_A.weight of .* are not finite"):
        _again(rounds, [good, bad])
    files.write(bad.path, {key: values for key, values in tensors.items() if key != name})
    with pytest.raises(BlobError, match=r"lacks tensor encoder.0.value.lora_A.weight, other than what its client"):
        _again(rounds, [good, bad])
    files.write(bad.path, tensors | {name: tensors[name][:1]})
    with pytest.raises(BlobError, match=r"is \[1, 5\] instead of \[2, 5\]"):
        _again(rounds, [good, bad])
    assert not (tmp_path / "out").exists()


def _again(rounds: Rounds, updates: list[Update]) -> None:
    rounds.strategy.aggregate(1, rounds.ground.initial, updates, rounds.folder / "out", rounds.folder / "beside")
