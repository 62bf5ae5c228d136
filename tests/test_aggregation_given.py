"""What clients are given: files cut to the round's form and the client's rank, whole or lean."""

import shutil
from pathlib import Path

import pytest
from adapted_rounds import Rounds, effective, far_apart, made_ground, trained_to

from harness.blobs import blob_of
from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.registry import strategy_of
from harness.learning.outgoing import Outgoing
from harness.profiles import Method
from harness.tensorfile import layout


def kinds(path: Path) -> set[str | None]:
    return {forms.kind_of(name) for name in files.read(path)}


def begun(folder: Path, method: Method, **settings: object) -> Rounds:
    return Rounds(made_ground(folder, method, **settings), folder)


@pytest.mark.parametrize("method", ["fedlr", "federa", "central", "fra", "fedsvd", "lora-fair"])
def test_a_checkpoint_that_is_all_that_is_given_is_not_copied(method: Method, tmp_path: Path) -> None:
    rounds = begun(tmp_path, method)
    for _ in range(2):
        given = rounds.outgoing(0)
        assert given.whole == rounds.checkpoints[-1]
        assert given.sha256 == blob_of(given.whole).sha256
        assert given.lean is None
        rounds.run(1)
    assert not (tmp_path / "outgoing").exists()


def test_ffa_gives_no_a(tmp_path: Path) -> None:
    rounds = begun(tmp_path, "ffa")
    given = rounds.outgoing(0)
    assert kinds(given.whole) == {"B", "rest"}
    assert layout(given.whole) == given.update
    assert kinds(rounds.ground.initial) == {"A", "B", "rest"}


def test_a_lean_file_tells_what_is_new_since_the_whole_one_of_the_round_before(tmp_path: Path) -> None:
    rounds = begun(tmp_path, "rolora")
    first = rounds.outgoing(0)
    assert first.lean is None
    for factor in "BA":
        before = rounds.outgoing(0)
        rounds.run(1)
        given = rounds.outgoing(0)
        assert given.lean is not None
        assert kinds(given.lean.path) == {factor, "rest"}
        assert given.lean.since == before.sha256
        assert given.lean.sha256 == blob_of(given.lean.path).sha256
        assert kinds(given.whole) == {"A", "B", "rest"}


def test_after_the_switch_fra_ffa_is_whole_once_and_lean_from_then_on(tmp_path: Path) -> None:
    rounds = begun(tmp_path, "fra-ffa", switch_round=2)
    lean: list[Outgoing] = []
    for _ in range(5):
        lean.append(rounds.outgoing(0))
        rounds.run(1)
    assert [given.lean is None for given in lean] == [True, True, True, False, False]
    assert [{forms.kind_of(one.name) for one in given.update.tensors} for given in lean] == [
        {"A", "B", "rest"},
        {"A", "B", "rest"},
        {"B", "rest"},
        {"B", "rest"},
        {"B", "rest"},
    ]


def test_a_resumed_run_finds_the_hash_of_the_round_before(tmp_path: Path) -> None:
    rounds = begun(tmp_path, "rolora")
    before = rounds.outgoing(0)
    rounds.run(1)
    rounds.strategy = strategy_of(rounds.ground)
    lean = rounds.outgoing(0).lean
    assert lean is not None
    assert lean.since == before.sha256


def test_where_the_round_before_is_gone_all_is_given(tmp_path: Path) -> None:
    rounds = begun(tmp_path, "rolora")
    rounds.run(1)
    shutil.rmtree(tmp_path / "outgoing/round-0001")
    rounds.strategy = strategy_of(rounds.ground)
    assert rounds.outgoing(0).lean is None


def test_a_stack_that_is_larger_than_the_change_is_not_given(tmp_path: Path) -> None:
    """Three clients of rank 2 are as wide as a layer of 6 x 8; of a large layer the stack is the smaller one."""
    rounds = begun(tmp_path, "flora")
    rounds.run(1)
    assert rounds.outgoing(0).lean is None
    assert not list((tmp_path / "outgoing/round-0002").glob("lean*"))
    (tmp_path / "large").mkdir()
    large = Rounds(made_ground(tmp_path / "large", "flora", layers={"layer": (60, 60)}), tmp_path / "large")
    large.run(1)
    assert large.outgoing(0).lean is not None


@pytest.mark.parametrize("method", ["flexlora", "hetlora"])
def test_factors_are_cut_to_the_clients_rank(method: Method, tmp_path: Path) -> None:
    rounds = begun(tmp_path, method, rank=4, ranks=[4, 1])
    rounds.run(1)
    checkpoint = files.read(rounds.checkpoints[-1])
    large, small, third = (rounds.outgoing(client) for client in range(3))
    assert large is third
    assert large.whole == rounds.checkpoints[-1]
    cut = files.read(small.whole)
    for layer, (d, k) in rounds.ground.layers.items():
        assert cut[layer + forms.B].shape == (d, 1)
        assert cut[layer + forms.A].shape == (1, k)
        assert (cut[layer + forms.B] == checkpoint[layer + forms.B][:, :1]).all()
    assert layout(small.whole) == small.update


def test_folded_residuals_are_given_as_a_stack(tmp_path: Path) -> None:
    settings = {"layers": {"layer": (60, 50)}, "switch_round": 1, "fra": {"residual": "fold"}}
    rounds = begun(tmp_path, "fra-ffa", **settings)
    rounds.run(1)
    lean = rounds.outgoing(0).lean
    assert lean is not None
    assert files.read(lean.path)["stack/layer.B"].shape == (60, 4)  # three clients' ranks of 2, less the rank kept
    rounds.run(1)
    lean = rounds.outgoing(0).lean
    assert lean is not None
    assert files.read(lean.path)["stack/layer.B"].shape == (60, 0)  # over a common A nothing is left over
    assert kinds(lean.path) == {"B", "rest", None}  # nor is the common A given again
    begun_with, learned = rounds.loaded(0), rounds.updates()
    wanted = trained_to(rounds.ground, begun_with, learned, 3)
    rounds.close(learned)
    assert far_apart(effective(rounds.ground, rounds.loaded(0, lean=True), 4), wanted) < 1e-6
