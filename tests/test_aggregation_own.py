"""What stays with a client: FedSA-LoRA's B and head, and the folder that keeps them."""

from pathlib import Path

import numpy as np
from adapted_rounds import Rounds, made_ground

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.own import Own
from harness.learning.aggregation.registry import strategy_of
from harness.learning.slices import SlicedState


def test_a_client_is_given_the_global_a_and_what_it_had_itself(tmp_path: Path) -> None:
    rounds = Rounds(made_ground(tmp_path, "fedsa"), tmp_path)
    initial = files.read(rounds.ground.initial)
    learned = rounds.updates([0, 1])
    rounds.close(learned)
    checkpoint = files.read(rounds.checkpoints[-1])
    for client, own in ((0, files.read(learned[0].path)), (1, files.read(learned[1].path)), (2, initial)):
        given = files.read(rounds.outgoing(client).whole)
        assert given.keys() == checkpoint.keys()
        for name, values in given.items():
            shared = forms.kind_of(name) == "A"
            assert np.array_equal(values, checkpoint[name] if shared else own[name])


def test_what_stays_is_told_in_bytes(tmp_path: Path) -> None:
    rounds = Rounds(made_ground(tmp_path, "fedsa", layers={"layer": (6, 8)}), tmp_path)
    given = rounds.outgoing(0)
    own = 4 * (6 * 2 + 2 * 3)  # B and the head, in float32
    assert (given.kept_bytes, given.kept_update_bytes) == (own, own)
    with SlicedState(given.whole) as state:
        assert (
            sum(4 * values.size for values in (files.single(state, name) for name in state.shapes)) == own + 4 * 2 * 8
        )


def test_the_checkpoint_has_the_means_as_a_reference(tmp_path: Path) -> None:
    rounds = Rounds(made_ground(tmp_path, "fedsa"), tmp_path)
    updates = rounds.updates()
    rounds.close(updates)
    weights = [update.samples / sum(one.samples for one in updates) for update in updates]
    for name, found in files.read(rounds.checkpoints[-1]).items():
        wanted = sum(weight * files.read(one.path)[name] for weight, one in zip(weights, updates, strict=True))
        assert np.allclose(found, wanted, atol=1e-6)


def test_the_last_three_files_of_a_client_are_kept(tmp_path: Path) -> None:
    own = Own(tmp_path / "clients")
    assert own.latest(3, 9) is None
    for round in (1, 2, 5, 6):
        own.keep(3, round, {"x": np.full(1, float(round))})
    found = {round: own.latest(3, round) for round in (2, 5, 6, 7)}
    assert [path and files.read(path)["x"][0] for path in found.values()] == [None, 2.0, 5.0, 6.0]
    assert own.latest(4, 9) is None


def test_a_round_that_is_aggregated_again_finds_what_it_found(tmp_path: Path) -> None:
    own = Own(tmp_path)
    own.keep(0, 1, {"x": np.zeros(1)})
    for _ in range(2):
        own.keep(0, 2, {"x": np.ones(1)})
        before = own.latest(0, 2)
        assert before is not None
        assert files.read(before)["x"][0] == 0.0


def test_a_round_that_is_aggregated_again_without_a_client_leaves_it_what_it_had(tmp_path: Path) -> None:
    """The state before was lost and trained for again, and then a deadline passed that had not the first time."""
    rounds = Rounds(made_ground(tmp_path, "fedsa"), tmp_path)
    rounds.close(rounds.updates([0, 1]))
    updates = rounds.updates([0, 1])
    strategy = strategy_of(rounds.ground)
    strategy.aggregate(2, rounds.checkpoints[1], updates, tmp_path / "first", tmp_path / "beside")
    own = Own(rounds.ground.folder)
    had = [own.latest(client, 2) for client in (0, 1)]
    strategy.aggregate(2, rounds.checkpoints[1], updates[:1], tmp_path / "again", tmp_path / "beside")
    assert own.latest(1, 3) == had[1]
    assert own.latest(0, 3) != had[0]
