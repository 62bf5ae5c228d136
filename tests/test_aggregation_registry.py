"""Which strategy a method has; plain methods keep to the weighted mean, to the byte."""

from pathlib import Path

import pytest
from adapted_rounds import Rounds, made_ground

from harness.learning.aggregation.mean import weighted_mean
from harness.learning.aggregation.own import FedSA
from harness.learning.aggregation.plain import Plain
from harness.learning.aggregation.registry import strategy_of
from harness.learning.aggregation.slora import SLoRA
from harness.learning.aggregation.strategy import LowRank
from harness.profiles import METHODS, Method

PLAIN = ("fedft", "fedbf", "fedap", "fedlr", "federa", "central")
OWN = {"fedsa": FedSA, "slora": SLoRA} | dict.fromkeys(PLAIN, Plain)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_has_a_strategy(method: Method, tmp_path: Path) -> None:
    assert type(strategy_of(made_ground(tmp_path, method))) is OWN.get(method, LowRank)


@pytest.mark.parametrize("method", METHODS)
def test_a_state_without_adapted_layers_is_averaged_as_it_is(method: Method, tmp_path: Path) -> None:
    """The null trainer's state, whatever the method is called."""
    ground = made_ground(tmp_path, method, layers={})
    strategy = strategy_of(ground)
    assert type(strategy) is Plain
    given = strategy.outgoing(1, 0, ground.initial, tmp_path / "outgoing/round-0001")
    assert given.whole == ground.initial
    assert [tensor.name for tensor in given.update.tensors] == ["head.weight"]


@pytest.mark.parametrize("method", PLAIN)
def test_a_plain_method_is_the_weighted_mean_to_the_byte(method: Method, tmp_path: Path) -> None:
    layers = {} if method in ("fedft", "fedbf", "fedap") else {"layer": (5, 4)}
    rounds = Rounds(made_ground(tmp_path, method, layers=layers), tmp_path)
    updates = rounds.updates()
    done = rounds.close(updates[::-1])
    mean = weighted_mean([(update.path, update.samples) for update in updates], tmp_path / "mean")
    assert done.state_sha256 == mean
    assert (done.errors is not None) == bool(layers)
    if done.errors is not None:
        assert done.errors.averaging == pytest.approx(done.errors.made)
