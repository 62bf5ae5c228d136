"""SCAFFOLD at the server: control variates add up, vanish where clients are equal, and survive a resume."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from adapted_rounds import Rounds, made_ground

from harness.errors import BlobError, TrainerError
from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Update
from harness.learning.aggregation.mean import weighted_mean
from harness.learning.aggregation.registry import strategy_of
from harness.profiles import Method


def run_of(folder: Path, method: Method = "fedlr", **ground: Any) -> Rounds:
    folder.mkdir(exist_ok=True)
    return Rounds(made_ground(folder, method, scaffold=True, **ground), folder)


def controls(path: Path) -> dict[str, Any]:
    return {name: values for name, values in files.read(path).items() if name.startswith(forms.CONTROL)}


def trained(run: Rounds, client: int, towards: dict[str, Any], lr: float = 0.1, steps: int = 5) -> Update:
    """A client that walks by SGD with the gradient x - optimum, corrected; its c_k+ as option II has it."""
    given = run.outgoing(client)
    state = files.read(run.ground.initial) | files.read(given.whole)
    sent = {}
    for name in (one.name for one in given.update.tensors if not one.name.startswith(forms.CONTROL)):
        begun, correction = state[name], state[forms.CONTROL + name]
        x = begun.copy()
        for _ in range(steps):
            x -= lr * (x - towards[name] + correction)
        sent |= {name: x, forms.CONTROL + name: -correction + (begun - x) / (steps * lr)}
    path = run.folder / f"update-{run.round + 1}-{client}"
    files.write(path, sent)
    return Update(client, path, samples=10)


def optima(run: Rounds, clients: int) -> list[dict[str, Any]]:
    """For each client a place of its own that it is drawn to."""
    state = files.read(run.ground.initial)
    chance = np.random.default_rng(3)
    return [{name: chance.standard_normal(state[name].shape) for name in state} for _ in range(clients)]


def test_c_is_the_mean_of_the_clients_variates_while_all_take_part(tmp_path: Path) -> None:
    run = run_of(tmp_path, "federa")
    for _ in range(4):
        updates = run.updates()
        run.close(updates)
        sent = [controls(update.path) for update in updates]
        for name, values in controls(run.checkpoints[-1]).items():
            np.testing.assert_allclose(values, np.mean([one[name] for one in sent], axis=0), rtol=1e-5, atol=1e-6)


def test_states_are_averaged_as_without_it(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    updates = run.updates()
    run.close(updates)
    weighted_mean([(update.path, update.samples) for update in updates], tmp_path / "mean")
    made, mean = files.read(run.checkpoints[-1]), files.read(tmp_path / "mean")
    assert made.keys() == mean.keys()
    for name in made:
        if not name.startswith(forms.CONTROL):
            np.testing.assert_array_equal(made[name], mean[name])


def test_equal_clients_are_given_no_correction(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    [one] = optima(run, 1)
    for _ in range(3):
        for client in range(3):
            for values in controls(run.outgoing(client).whole).values():
                np.testing.assert_allclose(values, 0.0, atol=1e-6)
        run.close([trained(run, client, one) for client in range(3)])
    assert max(np.abs(values).max() for values in controls(run.checkpoints[-1]).values()) > 0.1  # c itself is not zero


def test_the_drift_of_unequal_clients_fades(tmp_path: Path) -> None:
    """Every client comes to end where their mean ends, however far apart their optima: what SCAFFOLD is for."""
    run, name = run_of(tmp_path), "head.weight"
    places = optima(run, 3)
    apart = []
    for _ in range(8):
        updates = [trained(run, client, places[client]) for client in range(3)]
        ends = [files.read(update.path)[name] for update in updates]
        apart.append(max(float(np.abs(end - np.mean(ends, axis=0)).max()) for end in ends))
        run.close(updates)
    assert apart[0] > 0.3
    # c_k is the mean gradient over the last way, whose drift is in it: less is left each time, and never none.
    assert all(later < 0.5 * earlier for earlier, later in pairwise(apart[:5]))
    assert apart[-1] < 0.01 * apart[0]


def test_who_stays_away_keeps_its_variate_and_c_moves_by_the_share_of_the_others(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    run.close(run.updates())
    old = controls(run.checkpoints[-1])
    sent = {client: controls(tmp_path / f"update-1-{client}") for client in range(3)}
    run.close(run.updates(clients=(0, 2)))
    new = {client: controls(tmp_path / f"update-2-{client}") for client in (0, 2)}
    for name, values in controls(run.checkpoints[-1]).items():
        moved = sum(new[client][name] - sent[client][name] for client in (0, 2)) / 3
        np.testing.assert_allclose(values, old[name] + moved, rtol=1e-5, atol=1e-6)
        corrections = controls(run.outgoing(1).whole)[name], controls(run.outgoing(2).whole)[name]
        np.testing.assert_allclose(corrections[0], values - sent[1][name], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(corrections[1], values - new[2][name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", ["fedft", "federa", "ffa"])
def test_a_resumed_run_makes_the_same_bits_and_any_order_does(tmp_path: Path, method: Method) -> None:
    layers: dict[str, Any] = {"layers": {}} if method == "fedft" else {}
    steady, resumed = (run_of(tmp_path / name, method, **layers) for name in "ab")
    for _ in range(3):
        resumed.strategy = strategy_of(resumed.ground)  # knows nothing but files
        assert steady.close(steady.updates()) == resumed.close(resumed.updates()[::-1])
        resumed.strategy = strategy_of(resumed.ground)
        for client in range(3):
            assert steady.outgoing(client).sha256 == resumed.outgoing(client).sha256


def test_a_round_that_is_aggregated_again_finds_the_variates_that_it_found(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    run.close(run.updates())
    updates = run.updates()
    done = run.close(updates)
    again = strategy_of(run.ground).aggregate(2, run.checkpoints[1], updates, tmp_path / "again", tmp_path / "beside")
    assert again == done


def test_a_round_that_is_aggregated_again_without_a_client_has_nothing_of_it(tmp_path: Path) -> None:
    """The controller died after the variates were kept; the resumed run drops a client from that round."""
    steady, resumed = (run_of(tmp_path / name) for name in "ab")
    for run in (steady, resumed):
        run.close(run.updates())
    some = resumed.updates(clients=(0, 2))
    steady.close(steady.updates(clients=(0, 2)))
    resumed.strategy.aggregate(2, resumed.checkpoints[1], resumed.updates(), tmp_path / "lost", tmp_path / "beside")
    resumed.strategy = strategy_of(resumed.ground)
    resumed.close(some)
    for client in range(3):
        assert steady.outgoing(client).sha256 == resumed.outgoing(client).sha256


def test_both_ways_take_twice_the_bytes(tmp_path: Path) -> None:
    plain, run = Rounds(made_ground(tmp_path, "fedlr"), tmp_path), run_of(tmp_path / "scaffold")
    names = {one.name for one in plain.outgoing(0).update.tensors}
    given = run.outgoing(0)
    assert {one.name for one in given.update.tensors} == names | {forms.CONTROL + name for name in names}
    assert files.read(given.whole).keys() == names | {forms.CONTROL + name for name in names}
    assert given.lean is None


def test_updates_without_their_variates_or_with_broken_ones_are_refused(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    [one, *others] = run.updates()
    tensors = files.read(one.path)
    files.write(tmp_path / "broken", tensors | {"control/head.weight": np.full((2, 3), np.nan)})
    with pytest.raises(TrainerError, match=r"tensor control/head\.weight of .*broken has values that are not finite"):
        run.close([Update(0, tmp_path / "broken", 3), *others])
    del tensors["control/head.weight"]
    files.write(tmp_path / "lacking", tensors)
    with pytest.raises(BlobError, match=r"lacking lacks tensor control/head\.weight"):
        run.close([Update(0, tmp_path / "lacking", 3), *others])
