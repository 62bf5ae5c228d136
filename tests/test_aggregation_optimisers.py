"""FedAvgM, FedAdam and FedYogi: the papers' formulas, with moments that stand in the checkpoint."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from adapted_rounds import Rounds, made_ground
from numpy.typing import NDArray

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Update
from harness.learning.aggregation.mean import weighted_mean
from harness.learning.aggregation.optimisers import FIRST, SECOND, step_of
from harness.learning.aggregation.registry import strategy_of
from harness.profiles import Method
from harness.profiles.methods import ServerProfile

OPTIMISERS = ("avgm", "adam", "yogi")
Array = NDArray[np.float64]


def run_of(folder: Path, method: Method = "fedlr", **server: Any) -> Rounds:
    folder.mkdir(exist_ok=True)
    layers: dict[str, Any] = {"layers": {}} if method == "fedft" else {}
    return Rounds(made_ground(folder, method, server=server, **layers), folder)


def mean_change(before: Path, updates: list[Update], name: str) -> Array:
    weights = np.array([update.samples for update in updates]) / sum(update.samples for update in updates)
    theta = files.read(before)[name]
    return sum(w * (files.read(update.path)[name] - theta) for w, update in zip(weights, updates, strict=True))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_two_rounds_follow_the_formula(tmp_path: Path, optimiser: str) -> None:
    """Reddi et al., algorithm 2, written out; of FedAvgM, Hsu et al., section 4."""
    lr, b1, b2, tau = 0.3, 0.8, 0.9, 0.05
    run = run_of(tmp_path, optimiser=optimiser, lr=lr, beta1=b1, beta2=b2, tau=tau)
    name = "encoder.0.query" + forms.B
    theta = files.read(run.ground.initial)[name]
    m, v = np.zeros_like(theta), np.full_like(theta, tau**2)
    for _ in range(2):
        updates = run.updates()
        delta = mean_change(run.checkpoints[-1], updates, name)
        run.close(updates)
        if optimiser == "avgm":
            m = b1 * m + delta
            theta = theta + lr * m
        else:
            m = b1 * m + (1 - b1) * delta
            yogi = v - (1 - b2) * delta**2 * np.sign(v - delta**2)
            v = b2 * v + (1 - b2) * delta**2 if optimiser == "adam" else yogi
            theta = theta + lr * m / (np.sqrt(v) + tau)
        np.testing.assert_allclose(files.read(run.checkpoints[-1])[name], theta, rtol=1e-5, atol=1e-6)


def test_without_momentum_and_at_rate_1_it_is_the_mean(tmp_path: Path) -> None:
    run = run_of(tmp_path, "federa", optimiser="avgm", beta1=0.0, lr=1.0)
    updates = run.updates()
    done = run.close(updates)
    weighted_mean([(update.path, update.samples) for update in updates], tmp_path / "mean")
    made, mean = files.read(run.checkpoints[-1]), files.read(tmp_path / "mean")
    for name, values in mean.items():
        np.testing.assert_allclose(made[name], values, rtol=1e-6, atol=1e-7)
    assert done.errors is not None
    assert done.errors.made == pytest.approx(done.errors.averaging, rel=1e-4)


def test_momentum_goes_on_where_nobody_learns_anything(tmp_path: Path) -> None:
    run = run_of(tmp_path, optimiser="avgm", beta1=0.5)
    run.close(run.updates())
    run.close(run.updates(noise=0.0))
    start, first, second = (files.read(path)["head.weight"] for path in run.checkpoints)
    np.testing.assert_allclose(second - first, 0.5 * (first - start), rtol=1e-4, atol=1e-6)


def test_yogi_lets_a_large_moment_fall_slower_than_adam() -> None:
    theta, m, v, delta = (np.array([value]) for value in (0.0, 0.0, 100.0, 1.0))
    fallen = {
        kind: float(step_of(ServerProfile(optimiser=kind, beta2=0.9))(theta, m, v, delta)[2][0])  # type: ignore[arg-type]
        for kind in ("adam", "yogi")
    }
    assert fallen == pytest.approx({"adam": 90.1, "yogi": 99.9})


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("method", ["fedft", "fedlr", "federa", "ffa"])
def test_a_resumed_run_makes_the_same_bits_and_any_order_does(tmp_path: Path, method: Method, optimiser: str) -> None:
    steady, resumed = (run_of(tmp_path / name, method, optimiser=optimiser) for name in "ab")
    for _ in range(3):
        resumed.strategy = strategy_of(resumed.ground)  # knows nothing but files
        assert steady.close(steady.updates()) == resumed.close(resumed.updates()[::-1])
        assert steady.checkpoints[-1].read_bytes() == resumed.checkpoints[-1].read_bytes()


def test_moments_stay_at_the_server_and_a_that_nobody_trains_stays_as_it_is(tmp_path: Path) -> None:
    run = run_of(tmp_path, "ffa", optimiser="yogi")
    run.run(2)
    made, given = files.read(run.checkpoints[-1]), files.read(run.outgoing(0).whole)
    assert {name for name in made if name.startswith(forms.SERVER)} == {
        prefix + name for prefix in (FIRST, SECOND) for name in given
    }
    assert all(forms.kind_of(name) in ("B", "rest") for name in given)
    a = "encoder.0.value" + forms.A
    np.testing.assert_array_equal(made[a], files.read(run.ground.initial)[a])


def test_momentum_alone_keeps_one_moment(tmp_path: Path) -> None:
    run = run_of(tmp_path, optimiser="avgm")
    run.close(run.updates())
    kept = [name for name in files.read(run.checkpoints[-1]) if name.startswith(forms.SERVER)]
    assert kept
    assert all(name.startswith(FIRST) for name in kept)
