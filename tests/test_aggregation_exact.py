"""FLoRA and FedEx-LoRA: what is in effect after a round is the mean of what the clients trained, at full rank."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from adapted_rounds import Rounds, effective, far_apart, made_ground, trained_to
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learning.aggregation import files
from harness.learning.aggregation.exact import folded
from harness.profiles import Method

sides = st.integers(2, 12)


@pytest.mark.parametrize("method", ["flora", "fedex"])
@pytest.mark.parametrize("start", ["gaussian", "federa"])
@settings(max_examples=6, deadline=None)
@given(layers=st.dictionaries(st.sampled_from("qvo"), st.tuples(sides, sides), min_size=1), seed=st.integers(0, 99))
def test_they_are_full_rank_averaging(
    method: Method, start: str, layers: dict[str, tuple[int, int]], seed: int
) -> None:
    """Three rounds; what the server has, and what clients make of whole and of lean files, is the same."""
    with TemporaryDirectory() as folder:
        ground = made_ground(Path(folder), method, layers=layers, seed=seed, initialisation=start)
        rounds = Rounds(ground, Path(folder))
        for round in (1, 2, 3):
            state, updates = rounds.loaded(0, lean=True), rounds.updates()
            wanted = trained_to(ground, state, updates, round)
            made = rounds.close(updates).errors
            server = files.read(rounds.checkpoints[-1])
            assert far_apart(effective(ground, server, round + 1), wanted) < 1e-5
            assert made is not None
            assert made.made is not None
            assert made.made < 1e-9
            whole, lean = files.read(rounds.outgoing(0).whole), rounds.loaded(0, lean=True)
            assert whole.keys() == lean.keys()
            assert all(np.array_equal(whole[name], lean[name]) for name in whole)
            assert far_apart(effective(ground, lean, round + 1), wanted) < 1e-5


def test_fresh_factors_are_in_no_checkpoint(tmp_path: Path) -> None:
    rounds = Rounds(made_ground(tmp_path, "flora"), tmp_path)
    rounds.run(1)
    assert {name.partition("/")[0] for name in files.read(rounds.checkpoints[-1])} == {"change", "head.weight"}


def test_the_stack_of_fedex_is_as_wide_as_all_ranks_together(tmp_path: Path) -> None:
    rounds = Rounds(made_ground(tmp_path, "fedex", layers={"wide": (40, 50)}), tmp_path)
    rounds.run(1)
    stack = files.read(tmp_path / "outgoing/round-0002/stack.safetensors")
    assert stack["stack/wide.B"].shape == (40, 6)
    assert stack["stack/wide.A"].shape == (6, 50)


def test_one_client_alone_leaves_fedex_nothing_to_add(tmp_path: Path) -> None:
    rounds = Rounds(made_ground(tmp_path, "fedex"), tmp_path)
    rounds.close(rounds.updates([1]))
    state = files.read(rounds.checkpoints[-1])
    assert not state["change/encoder.0.query"].any()


def test_a_stack_of_no_width_changes_nothing() -> None:
    change = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(folded(change, np.zeros((2, 0)), np.zeros((0, 3))), change)
    assert np.array_equal(folded(None, np.zeros((2, 0)), np.zeros((0, 3))), np.zeros((2, 3)))
