"""Clip and noise at the server: the joint bound of a client, noise of the stated size, on changes alone."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from adapted_rounds import HEAD, LAYERS, Rounds, made_ground
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Update
from harness.learning.aggregation.clipped import clip_factors
from harness.learning.aggregation.registry import strategy_of
from harness.profiles import Method
from harness.profiles.choices import CLIPPED

FAR = 1e9
"""A norm that no change reaches."""


def run_of(
    folder: Path, method: Method = "fedlr", clip: float = FAR, noise: float = 0.0, seed: int = 0, **ground: Any
) -> Rounds:
    folder.mkdir(exist_ok=True)
    privacy = {"kind": "server", "clip": clip, "noise_multiplier": noise}
    return Rounds(made_ground(folder, method, privacy=privacy, seed=seed, **ground), folder)


def equal(updates: list[Update]) -> list[Update]:
    """The same updates, of as many samples each."""
    return [Update(update.client, update.path, 5) for update in updates]


def changes(run: Rounds, updates: list[Update]) -> list[dict[str, Any]]:
    """What each client changed of what it sends."""
    before = files.read(run.checkpoints[-1])
    return [{name: values - before[name] for name, values in files.read(update.path).items()} for update in updates]


def norm(tensors: dict[str, Any]) -> float:
    return float(np.sqrt(sum((values**2).sum() for values in tensors.values())))


def weight_changes(run: Rounds, tensors: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The change of each layer's weight, s (B A - B' A'), and of the head."""
    found = {name: tensors[name] - before[name] for name in HEAD}
    scale = run.ground.spec.settings.alpha / run.ground.spec.settings.rank
    for layer in LAYERS:
        new, old = (state[layer + forms.B] @ state[layer + forms.A] for state in (tensors, before))
        found[layer] = scale * (new - old)
    return found


@pytest.mark.parametrize("method", CLIPPED)
def test_without_noise_and_with_a_far_bound_it_is_the_method_over_equal_weights(tmp_path: Path, method: Method) -> None:
    rank = 9 if method == "fra" else 2  # nothing is truncated, so that the products tell all
    run = run_of(tmp_path / "private", method, rank=rank)
    (tmp_path / "plain").mkdir()
    plain = Rounds(made_ground(tmp_path / "plain", method, rank=rank), tmp_path / "plain")
    updates = equal(run.updates())
    run.close(updates)
    plain.close(equal(plain.updates()))
    made, same = (files.read(one.checkpoints[-1]) for one in (run, plain))
    for layer in LAYERS:
        np.testing.assert_allclose(
            made[layer + forms.B] @ made[layer + forms.A], same[layer + forms.B] @ same[layer + forms.A], atol=1e-5
        )
    np.testing.assert_allclose(made["head.weight"], same["head.weight"], atol=1e-6)


@pytest.mark.parametrize("method", CLIPPED)
def test_nothing_is_told_of_what_clients_learned_before_it_was_noised(tmp_path: Path, method: Method) -> None:
    """Error components would tell it to any number of digits."""
    assert [done.errors for done in run_of(tmp_path, method, clip=0.5, noise=1.0).run(2)] == [None, None]


@pytest.mark.parametrize("method", ["fedlr", "federa", "ffa"])
def test_the_norm_that_is_clipped_is_that_of_all_tensors_together(tmp_path: Path, method: Method) -> None:
    """Of a client whose tensors are all below the bound the whole change is not."""
    run = run_of(tmp_path, method)
    updates = run.updates()
    moved = changes(run, updates)
    whole = [norm(one) for one in moved]
    bound = 0.95 * min(whole)
    assert max(float(np.linalg.norm(values)) for values in moved[int(np.argmin(whole))].values()) < bound
    private = run_of(tmp_path / "private", method, clip=bound)
    before = files.read(private.checkpoints[-1])
    private.close(updates)
    made = files.read(private.checkpoints[-1])
    for name in moved[0]:
        wanted = sum(one[name] * bound / size for one, size in zip(moved, whole, strict=True)) / 3
        np.testing.assert_allclose(made[name] - before[name], wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", ["fra", "fra-ffa"])
def test_of_fra_it_is_the_change_of_the_weights_and_the_head_together(tmp_path: Path, method: Method) -> None:
    bound = 0.5
    run = run_of(tmp_path, method, clip=bound, rank=9)
    before = files.read(run.checkpoints[-1])
    updates = run.updates()
    clients = [weight_changes(run, files.read(update.path), before) for update in updates]
    run.close(updates)
    made = weight_changes(run, files.read(run.checkpoints[-1]), before)
    assert min(norm(one) for one in clients) > bound
    for name in made:
        wanted = sum(one[name] * bound / norm(one) for one in clients) / 3
        np.testing.assert_allclose(made[name], wanted, atol=1e-5)
    assert norm(made) <= bound * (1 + 1e-5)


@pytest.mark.parametrize("method", ["fedlr", "federa", "ffa", "fra"])
@pytest.mark.parametrize("away", [0, 2])
def test_no_client_moves_the_state_by_more_than_its_bound(tmp_path: Path, method: Method, away: int) -> None:
    """The sum without a client differs by the bound at most: the denominator is the same with it and without it."""
    bound = 0.5
    with_all, without = (run_of(tmp_path / name, method, clip=bound, rank=9) for name in "ab")
    updates = with_all.updates()
    before = files.read(with_all.checkpoints[-1])
    with_all.close(updates)
    without.close([update for update in updates if update.client != away])
    one, other = (files.read(run.checkpoints[-1]) for run in (with_all, without))
    if method == "fra":
        one, other = (weight_changes(with_all, state, before) for state in (one, other))
    apart = norm({name: one[name] - other[name] for name in one})
    assert apart == pytest.approx(bound / 3, rel=1e-3)


def noise_of(run: Rounds) -> dict[str, Any]:
    """What a round in which nobody learned anything changed."""
    before = files.read(run.checkpoints[-1])
    run.close(run.updates(noise=0.0))
    after = files.read(run.checkpoints[-1])
    return {name: after[name] - before[name] for name in after}


WIDE: dict[str, tuple[int, int]] = {"encoder.0.query": (60, 80), "encoder.0.value": (90, 50)}


@pytest.mark.parametrize("method", ["fedlr", "federa", "ffa"])
def test_noise_has_the_stated_deviation_on_all_that_is_sent(tmp_path: Path, method: Method) -> None:
    """Mean and deviation of thousands of draws, within four standard errors (fixed seed)."""
    clip, sigma, clients = 2.0, 1.5, 3
    run = run_of(tmp_path, method, clip, sigma, layers=WIDE, rank=8)
    added = noise_of(run)
    sent = {one.name for one in run.outgoing(0).update.tensors}
    assert all(not added[name].any() for name in added.keys() - sent)  # FFA's A is not sent
    draws = np.concatenate([added[name].ravel() for name in sorted(sent)]) * clients / (clip * sigma)
    assert abs(draws.mean()) < 4 / np.sqrt(draws.size)
    assert abs(draws.std() - 1) < 4 / np.sqrt(2 * draws.size)
    assert abs((draws**4).mean() - 3) < 4 * np.sqrt(96 / draws.size)  # a Gaussian's fourth moment


def test_noise_on_fra_is_on_the_dense_change_before_the_svd(tmp_path: Path) -> None:
    clip, sigma, clients, rank = 2.0, 1.5, 3, 50
    run = run_of(tmp_path, "fra", clip, sigma, layers={"encoder.0.query": (60, 50)}, rank=rank)
    before = files.read(run.checkpoints[-1])
    noise_of(run)
    after = files.read(run.checkpoints[-1])
    name = "encoder.0.query"
    scale = run.ground.spec.settings.alpha / rank
    change = scale * (after[name + forms.B] @ after[name + forms.A] - before[name + forms.B] @ before[name + forms.A])
    draws = change.ravel() * clients / (clip * sigma)  # rank 50 of 60 x 50: the SVD takes nothing away
    assert abs(draws.mean()) < 4 / np.sqrt(draws.size)
    assert abs(draws.std() - 1) < 4 / np.sqrt(2 * draws.size)


@pytest.mark.parametrize("method", ["fedlr", "federa", "fra"])
def test_what_the_state_begins_with_is_not_noised(tmp_path: Path, method: Method) -> None:
    """Clients that learn nothing, and no noise: FeDeRA's A0 and B0 stay to the last digit. Noise is free of them."""
    start: dict[str, Any] = {"initialisation": "federa"} if method == "fra" else {}
    quiet = run_of(tmp_path / "quiet", method, clip=0.01, **start)
    before = files.read(quiet.checkpoints[-1])
    quiet.close(quiet.updates(noise=0.0))
    after = files.read(quiet.checkpoints[-1])
    for name in LAYERS:
        products = (state[name + forms.B] @ state[name + forms.A] for state in (before, after))
        np.testing.assert_allclose(*products, atol=1e-5)
    if method == "fra":
        return
    one, other = (noise_of(run_of(tmp_path / f"{seed}", method, 1.0, 1.0, seed)) for seed in (1, 2))
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=1e-6)  # other states, the same noise


@pytest.mark.parametrize("method", CLIPPED)
def test_a_resumed_run_makes_the_same_bits_and_any_order_does(tmp_path: Path, method: Method) -> None:
    stage: dict[str, Any] = {"switch_round": 1} if method == "fra-ffa" else {}
    steady, resumed = (run_of(tmp_path / name, method, 0.5, 1.0, **stage) for name in "ab")
    for _ in range(3):
        resumed.strategy = strategy_of(resumed.ground)
        assert steady.close(steady.updates()) == resumed.close(resumed.updates()[::-1])
    states = [files.read(path)["head.weight"] for path in steady.checkpoints]
    moved = [after - before for before, after in pairwise(states)]
    assert np.abs(moved[0] - moved[1]).max() > 1e-3  # each round has noise of its own


def test_fra_that_froze_a_noises_b_and_the_head_alone(tmp_path: Path) -> None:
    run = run_of(tmp_path, "fra-ffa", 0.5, 1.0, switch_round=1)
    run.run(2)
    before, after = (files.read(path) for path in run.checkpoints[-2:])
    for layer in LAYERS:
        np.testing.assert_array_equal(before[layer + forms.A], after[layer + forms.A])
        assert np.abs(before[layer + forms.B] - after[layer + forms.B]).max() > 1e-3


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=8), st.floats(1e-6, 1e6))
def test_a_clipped_norm_is_at_most_the_bound_and_a_small_one_is_left(norms: list[float], clip: float) -> None:
    found = np.array(norms)
    factors = clip_factors(found, clip)
    assert (factors * found <= clip * (1 + 1e-12)).all()
    assert (factors[found <= clip] == 1).all()
