"""How far global factors move in a round: by hand, by loops, and on the states of real models."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from encoders import spec_of, write_encoder

from harness.errors import BlobError
from harness.learning.architectures import KNOWN
from harness.learning.drift import drift, short_names, variation
from harness.learning.methods import initial_state
from harness.learning.tensors import write_state
from harness.profiles import Method

QUERY, VALUE = (f"bert.encoder.layer.0.attention.self.{name}.lora" for name in ("query", "value"))


def write(path: Path, **tensors: object) -> Path:
    """A state with the factors of one query: A and B."""
    named = {f"{QUERY}_{part}.weight": torch.as_tensor(values) for part, values in tensors.items()}
    write_state(path, {**named, "classifier.bias": torch.zeros(2)})
    return path


def by_loops(before: np.ndarray, after: np.ndarray) -> tuple[float, float | None]:
    """The equations as they are written, one column after the other, without numpy's sums."""
    differences, turns = [], []
    for column in range(before.shape[1]):
        old, new = before[:, column].tolist(), after[:, column].tolist()
        m_old, m_new = (math.sqrt(sum(x * x for x in vector)) for vector in (old, new))
        differences.append(abs(m_new - m_old))
        if m_old > 0 and m_new > 0:
            turns.append(1 - sum(a * b for a, b in zip(old, new, strict=True)) / (m_old * m_new))
    return sum(differences) / len(differences), sum(turns) / len(turns) if turns else None


def test_by_hand(tmp_path: Path) -> None:
    """Norms 5 and 2 become 10 and 2; one column keeps its direction, the other turns by 90 degrees: 1 - cos = 1."""
    before = write(tmp_path / "0", A=[[3.0, 2.0], [4.0, 0.0]], B=[[1.0], [0.0]])
    after = write(tmp_path / "1", A=[[6.0, 0.0], [8.0, 2.0]], B=[[-1.0], [0.0]])
    assert drift(before, after) == {"layer.0.query.A": (2.5, 0.5), "layer.0.query.B": (0.0, 2.0)}


def test_against_the_equations_in_loops(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    states = [{part: chance.normal(size=(7, 5)).astype(np.float32) for part in "AB"} for _ in range(2)]
    states[0]["B"][:, 2] = 0
    found = drift(*(write(tmp_path / str(place), **state) for place, state in enumerate(states)))
    assert found is not None
    for part in "AB":
        wanted = by_loops(*(state[part].astype(np.float64) for state in states))
        assert found[f"layer.0.query.{part}"] == pytest.approx(wanted, rel=1e-12)


def test_what_does_not_move_has_no_drift(tmp_path: Path) -> None:
    state = write(tmp_path / "0", A=torch.randn(8, 300, generator=torch.Generator().manual_seed(1)))
    assert drift(state, state) == {"layer.0.query.A": (0.0, 0.0)}


def test_a_column_that_is_zero_in_either_state_has_no_direction() -> None:
    turned, zero = np.array([[1.0, 3.0], [0.0, 4.0]]), np.array([[0.0, 0.0], [0.0, 5.0]])
    for before, after in ((turned, zero), (zero, turned)):
        assert variation(before, after) == (0.5, pytest.approx(0.2))
    assert variation(turned, np.zeros((2, 2))) == (3.0, None)


def test_a_scaled_column_changes_in_magnitude_alone_a_rotated_one_in_direction_alone() -> None:
    matrix = np.random.default_rng(0).normal(size=(4, 6))
    magnitude, direction = variation(matrix, 1.5 * matrix)
    assert magnitude == pytest.approx(0.5 * np.linalg.norm(matrix, axis=0).mean())
    assert direction == pytest.approx(0.0, abs=1e-30)
    quarter = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]])
    magnitude, direction = variation(matrix, quarter @ matrix)
    assert magnitude == pytest.approx(0.0, abs=1e-15)
    assert direction == pytest.approx(1.0)


def test_small_turns_keep_their_digits() -> None:
    """1 - cos of an angle of 1e-9 is 5e-19, which a subtraction from 1 would lose."""
    turned = np.array([[math.cos(1e-9)], [math.sin(1e-9)]])
    assert variation(np.array([[1.0], [0.0]]), turned)[1] == pytest.approx(5e-19)


def test_columns_that_are_zero_have_no_direction(tmp_path: Path) -> None:
    """As FedLR's B before the first round; a zero column among others is left out of the mean."""
    before = write(tmp_path / "0", A=[[0.0, 1.0]], B=[[0.0], [0.0]])
    after = write(tmp_path / "1", A=[[1.0, -1.0]], B=[[3.0], [4.0]])
    assert drift(before, after) == {"layer.0.query.A": (0.5, 2.0), "layer.0.query.B": (5.0, None)}


def test_layers_come_in_their_order_and_nothing_but_factors() -> None:
    tensors = [f"bert.encoder.layer.{n}.attention.self.query.lora_{part}.weight" for n in (10, 9) for part in "BA"]
    assert list(short_names([*tensors, "classifier.weight"]).values()) == [
        "layer.9.query.A",
        "layer.9.query.B",
        "layer.10.query.A",
        "layer.10.query.B",
    ]


def test_names_that_would_be_the_same_stay_whole() -> None:
    tensors = [f"layer.0.{block}.query.lora_A.weight" for block in ("attention", "crossattention")]
    assert list(short_names(tensors).values()) == ["layer.0.attention.query.A", "layer.0.crossattention.query.A"]


@pytest.mark.parametrize(
    ("architecture", "names"),
    [
        ("bert", ["layer.0.query", "layer.0.value", "layer.1.query", "layer.1.value"]),
        ("deberta-v2", ["layer.0.query_proj", "layer.0.value_proj", "layer.1.query_proj", "layer.1.value_proj"]),
        ("distilbert", ["layer.0.q_lin", "layer.0.v_lin", "layer.1.q_lin", "layer.1.v_lin"]),
        ("modernbert", ["layers.0.Wqkv", "layers.1.Wqkv"]),
        ("mpnet", ["layer.0.q", "layer.0.v", "layer.1.q", "layer.1.v"]),
    ],
)
def test_the_factors_of_known_architectures_have_short_names(
    tmp_path: Path, architecture: str, names: list[str]
) -> None:
    state = initial_state(write_encoder(tmp_path, architecture), spec_of("federa"), seed=0).state
    assert list(short_names(list(state)).values()) == [f"{name}.{part}" for name in names for part in "AB"]


@pytest.mark.parametrize("architecture", KNOWN)
def test_every_factor_of_every_architecture_is_found(tmp_path: Path, architecture: str) -> None:
    initial = initial_state(write_encoder(tmp_path / "base", architecture), spec_of("fedlr"), seed=0)
    moved = {name: tensor + 0.25 if "lora_" in name else tensor for name, tensor in initial.state.items()}
    write_state(tmp_path / "0", initial.state)
    write_state(tmp_path / "1", moved)
    found = drift(tmp_path / "0", tmp_path / "1")
    assert found is not None
    assert len(found) == sum("lora_" in name for name in initial.state)
    for name, (magnitude, direction) in found.items():
        assert magnitude > 0
        assert (direction is None) == name.endswith(".B")


@pytest.mark.parametrize("method", ["fedft", "fedbf", "fedap", "flora", "slora"])
def test_methods_that_begin_without_factors_have_none(tmp_path: Path, method: Method) -> None:
    write_state(tmp_path / "0", initial_state(write_encoder(tmp_path / "base"), spec_of(method), seed=0).state)
    assert drift(tmp_path / "0", tmp_path / "0") is None


def test_where_factors_begin_in_a_round_nothing_has_moved(tmp_path: Path) -> None:
    write_state(tmp_path / "0", {"classifier.bias": torch.zeros(2)})
    after = write(tmp_path / "1", A=[[1.0, 2.0]])
    assert drift(tmp_path / "0", after) is None
    assert drift(after, tmp_path / "0") is None


def test_what_a_server_keeps_beside_the_factors_is_none_of_them(tmp_path: Path) -> None:
    factor = f"{QUERY}_A.weight"
    kept = [f"{prefix}{factor}" for prefix in ("control/", "server/m/", "change/")]
    write_state(tmp_path / "0", {name: torch.ones(1, 2) for name in (factor, *kept)})
    assert drift(tmp_path / "0", tmp_path / "0") == {"layer.0.query.A": (0.0, 0.0)}


def test_states_of_different_runs_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "0", A=[[1.0, 2.0]])
    with pytest.raises(BlobError, match=r"is \[1, 2\] and \[1, 1\] in consecutive states"):
        drift(one, write(tmp_path / "1", A=[[1.0]]))
    with pytest.raises(BlobError, match="different factors A and B"):
        drift(one, write(tmp_path / "2", B=[[1.0]]))
    (tmp_path / "broken").write_bytes(b"no state")
    with pytest.raises(BlobError, match="broken is not a readable safetensors file"):
        drift(one, tmp_path / "broken")
