"""The learning side between rounds: whose metrics a round tells, what is made for the next one, what is made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from run_folders import experiment

from harness.between_rounds import BetweenRounds
from harness.errors import FederaBenchError
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Update
from harness.learning.spec import PrepareSpec
from harness.learning.workload import Workload
from harness.profiles import EvaluateProfile, Method, PrivacyProfile
from harness.records import Parameters
from harness.rounds.plan import RunPlan
from harness.store import RunFolder

LAYER = "encoder.query"
A, B = f"{LAYER}.lora_A.weight", f"{LAYER}.lora_B.weight"
THREE = {"rounds": {"count": 2, "clients_per_round": 3}, "partition": {"clients": 3}, "fleet": "virtual"}
OF = experiment(**THREE)


def state(value: float) -> files.Tensors:
    """Factors of rank 32 of a weight [3, 4], and a head, all of one value."""
    return {
        A: np.full((32, 4), value),
        B: np.full((3, 32), value),
        "head": np.full((2,), value),
    }


class Evaluator:
    """The accuracy of a state is the last value of its head, with an update that of the update's."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, str | None]] = []

    def __call__(
        self,
        state: Path,
        progress: Callable[[float], None] | None = None,
        *,
        round: int = 0,
        update: Path | None = None,
    ) -> dict[str, float]:
        self.seen.append((state.parent.name, round, update.stem if update else None))
        return {"accuracy": float(files.read(update or state)["head"][-1])}


class Bench:
    """A run's folder with the initial state, its learning side, and updates of given values."""

    def __init__(self, root: Path, method: Method, *, clients: bool = False, **settings: Any) -> None:
        of = experiment(**THREE, evaluate=EvaluateProfile(clients=clients))
        own = {method: msgspec.structs.replace(of.method(method), **settings)}
        of = msgspec.structs.replace(of, methods={**of.methods, **own})
        self.folder, self.evaluator = RunFolder.create(root, "r"), Evaluator()
        files.write(self.folder.checkpoint(0), state(0.0))
        spec = PrepareSpec(method=method, settings=of.method(method), train=of.train, labels=2, threads=1)
        workload = Workload(
            base={},
            shards={},
            samples={},
            initial_state=self.folder.checkpoint(0),
            layers={LAYER: (3, 4)},
            init=None,
            svd_s=0.0,
            prepare=spec,
            parameters=Parameters(adapter=1, head=1, total=2),
            evaluator=self.evaluator,
            partition=None,
            warnings=(),
        )
        self.workload, self.plan = workload, RunPlan.of(of, method)
        self.learning = BetweenRounds(self.folder, of, self.plan, workload)

    def updates(self, round: int, *values: float) -> list[Update]:
        found = []
        for client, value in enumerate(values):
            wanted = {tensor.name for tensor in self.learning.outgoing(round, client).update.tensors}
            trained = {name: array for name, array in state(value).items() if name in wanted}
            files.write(path := self.folder.update(round, client), trained)
            found.append(Update(client, path, samples=10))
        return found


def quiet(done: float) -> None:
    """Nobody is told."""


def test_a_state_is_evaluated_alone_unless_clients_are_asked_for(tmp_path: Path) -> None:
    run = Bench(tmp_path, "fedlr")
    run.learning.aggregate(1, run.updates(1, 1.0, 2.0, 6.0))
    found = run.learning.evaluate(1, [0, 1, 2], quiet)
    assert (found.metrics, found.client_metrics) == ({"accuracy": 3.0}, {})
    assert run.evaluator.seen == [("checkpoints", 1, None)]
    assert not run.learning.evaluates_clients


def test_a_client_s_model_is_what_it_was_given_with_its_update(tmp_path: Path) -> None:
    run = Bench(tmp_path, "ffa", clients=True)
    run.learning.aggregate(1, run.updates(1, 1.0, 2.0, 6.0))
    found = run.learning.evaluate(1, [0, 2], quiet)
    assert found.metrics == {"accuracy": 3.0}
    assert found.client_metrics == {0: {"accuracy": 1.0}, 2: {"accuracy": 6.0}}
    assert run.evaluator.seen[:2] == [("round-0001", 1, "client-0000"), ("round-0001", 1, "client-0002")]


def test_under_the_server_s_noise_no_client_s_own_model_is_told_of(tmp_path: Path) -> None:
    """Its update has no noise yet; those of clients that noised them themselves may be looked at."""
    private = Bench(tmp_path / "server", "fra", clients=True, privacy=PrivacyProfile(kind="server"))
    private.learning.aggregate(1, private.updates(1, 1.0, 2.0, 6.0))
    assert private.learning.evaluate(1, [0, 1, 2], quiet).client_metrics == {}
    assert not private.learning.evaluates_clients
    assert Bench(tmp_path / "c", "fra", clients=True, privacy=PrivacyProfile(kind="dp-sgd")).learning.evaluates_clients


def test_of_personal_models_the_mean_is_told(tmp_path: Path) -> None:
    run = Bench(tmp_path, "fedsa")
    run.learning.aggregate(1, run.updates(1, 1.0, 2.0, 6.0))
    found = run.learning.evaluate(1, [0, 1, 2], quiet)
    assert found.metrics == {"accuracy": 3.0}
    assert [one["accuracy"] for one in found.client_metrics.values()] == [1.0, 2.0, 6.0]
    assert all(update is not None for _, _, update in run.evaluator.seen)


def test_central_has_one_model_and_evaluates_it_once(tmp_path: Path) -> None:
    run = Bench(tmp_path, "central", clients=True)
    assert (run.plan.clients, run.plan.clients_per_round) == (1, 1)
    run.learning.aggregate(1, run.updates(1, 5.0))
    assert run.learning.evaluate(1, [0], quiet).client_metrics == {}


def test_what_the_next_round_is_given_is_there_with_the_state_and_nothing_after_the_last(tmp_path: Path) -> None:
    run = Bench(tmp_path, "ffa")
    run.learning.aggregate(1, run.updates(1, 1.0, 2.0, 6.0))
    assert list(run.folder.outgoing(2).iterdir())
    run.learning.aggregate(2, run.updates(2, 1.0, 2.0, 6.0))
    assert not run.folder.outgoing(3).exists()


@pytest.mark.parametrize("method", ["fedlr", "fra", "flora", "fedsa"])
def test_a_state_made_again_is_the_same(tmp_path: Path, method: Method) -> None:
    run = Bench(tmp_path, method)
    made = run.learning.aggregate(1, updates := run.updates(1, 1.0, 2.0, 6.0))
    later = run.learning.outgoing(2, 1)
    run.folder.checkpoint(1).unlink()
    again = BetweenRounds(run.folder, OF, run.plan, run.workload)
    assert again.again(1, updates) == made.state_sha256
    assert again.outgoing(2, 1) == later
    assert again.privacy(1) is None
    assert made.errors is not None
    assert made.errors.change > 0


def test_a_run_that_learns_nothing_has_nothing_to_evaluate(tmp_path: Path) -> None:
    run = Bench(tmp_path, "fedlr")
    null = BetweenRounds(run.folder, OF, run.plan, replace(run.workload, evaluator=None))
    with pytest.raises(FederaBenchError, match="nothing to evaluate"):
        null.evaluate(1, [], quiet)
