"""SLoRA: averages of one mask's values, then factors of what they came to."""

from pathlib import Path

import numpy as np
import pytest
from adapted_rounds import Rounds, made_ground

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Ground
from harness.learning.aggregation.slora import principal
from harness.learning.sparse import mask


def begun(folder: Path, **settings: object) -> Rounds:
    ground = made_ground(folder, "slora", layers={"layer": (7, 9)}, switch_round=2, density=0.3, **settings)
    return Rounds(ground, folder)


def dense(ground: Ground, values: np.ndarray) -> np.ndarray:
    change = np.zeros(7 * 9)
    change[mask(ground.spec.seed, "layer", (7, 9), 0.3)] = values
    return change.reshape(7, 9)


def test_the_first_stage_averages_values(tmp_path: Path) -> None:
    rounds = begun(tmp_path)
    updates = rounds.updates()
    done = rounds.close(updates)
    weights = [update.samples / sum(one.samples for one in updates) for update in updates]
    wanted = sum(w * files.read(one.path)["layer.sparse"] for w, one in zip(weights, updates, strict=True))
    assert np.allclose(files.read(rounds.checkpoints[-1])["layer.sparse"], wanted, atol=1e-6)
    assert done.errors is None


def test_at_the_switch_the_best_factors_of_the_change_take_its_place(tmp_path: Path) -> None:
    rounds = begun(tmp_path)
    rounds.run(1)
    before, updates = files.read(rounds.checkpoints[-1]), rounds.updates()
    errors = rounds.close(updates).errors
    weights = [update.samples / sum(one.samples for one in updates) for update in updates]
    mean = sum(w * files.read(one.path)["layer.sparse"] for w, one in zip(weights, updates, strict=True))
    change, state = dense(rounds.ground, mean), files.read(rounds.checkpoints[-1])
    assert state.keys() == {"layer" + forms.A, "layer" + forms.B, "head.weight"}
    u, s, vt = np.linalg.svd(change)
    settings = rounds.ground.spec.settings
    made = settings.alpha / settings.rank * state["layer" + forms.B] @ state["layer" + forms.A]
    assert np.allclose(made, (u[:, :2] * s[:2]) @ vt[:2], atol=1e-5)
    assert errors is not None
    assert errors.averaging == 0.0
    assert errors.change == pytest.approx(np.linalg.norm(mean - before["layer.sparse"]), rel=1e-5)
    assert errors.made == errors.truncation == pytest.approx(np.linalg.norm(s[2:]) / errors.change, rel=1e-5)


def test_the_second_stage_averages_factors(tmp_path: Path) -> None:
    rounds = begun(tmp_path)
    rounds.run(2)
    given = rounds.outgoing(0)
    assert given.whole == rounds.checkpoints[-1]
    errors = rounds.run(1)[0].errors
    assert errors is not None
    assert errors.averaging == pytest.approx(errors.made)


def test_a_direction_of_nothing_can_still_be_learned() -> None:
    """A change of rank 1 in factors of rank 3: B is zero where there is nothing, A is not."""
    change = np.outer(np.arange(1.0, 5.0), np.arange(1.0, 7.0))
    b, a, lost = principal(change, 3)
    assert np.allclose(b @ a, change)
    assert np.allclose(a @ a.T, np.eye(3))
    assert lost < 1e-20


def test_a_rank_above_both_sides_holds_all_of_a_change() -> None:
    change = np.random.default_rng(0).normal(size=(5, 3))
    b, a, lost = principal(change, 8)
    assert (b.shape, a.shape, lost) == ((5, 8), (8, 3), 0.0)
    assert np.allclose(b @ a, change)
