"""FedSVD: a round over a common A is exact, and the turned A has orthonormal rows."""

from pathlib import Path

import numpy as np
from adapted_rounds import Rounds, effective, far_apart, made_ground, trained_to
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.fedsvd import fedsvd_rule
from harness.learning.aggregation.layer import LayerUpdates
from harness.profiles import MethodProfile

sides = st.integers(3, 12)


@settings(max_examples=30, deadline=None)
@given(d=sides, k=sides, clients=st.integers(1, 4), seed=st.integers(0, 999))
def test_the_product_is_kept_and_the_rows_are_orthonormal(d: int, k: int, clients: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    a, b = chance.standard_normal((3, k)), tuple(chance.standard_normal((d, 3)) for _ in range(clients))
    weights = (1 / clients,) * clients
    layer = LayerUpdates(1, 1.0, weights, b, (a,) * clients, b[0], a, b[0], a)
    result = fedsvd_rule(MethodProfile())(layer)
    assert result.b is not None
    assert result.a is not None
    assert np.allclose(result.b @ result.a, sum(w * x for w, x in zip(weights, b, strict=True)) @ a)
    assert np.allclose(result.a @ result.a.T, np.eye(3))


def test_a_component_of_nothing_keeps_its_row(tmp_path: Path) -> None:
    """Where no client moved B from zero, A stays as it was."""
    rounds = Rounds(made_ground(tmp_path, "fedsvd"), tmp_path)
    rounds.close(rounds.updates(noise=0.0))
    before, after = (files.read(path) for path in rounds.checkpoints)
    for name in after:
        assert np.array_equal(before[name], after[name])


def test_rounds_of_fedsvd_are_exact(tmp_path: Path) -> None:
    ground = made_ground(tmp_path, "fedsvd", initialisation="federa")
    rounds = Rounds(ground, tmp_path)
    for round in (1, 2, 3):
        state, updates = rounds.loaded(0), rounds.updates()
        assert {forms.kind_of(one.name) for one in rounds.outgoing(0).update.tensors} == {"B", "rest"}
        wanted = trained_to(ground, state, updates, round)
        rounds.close(updates)
        assert far_apart(effective(ground, files.read(rounds.checkpoints[-1]), round + 1), wanted) < 1e-5
