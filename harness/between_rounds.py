"""What happens to a run's states between its rounds: the strategy, the evaluator and the accountant at work on files.

All of it can be done again: a resumed run makes of the same files the same bits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from harness.errors import FederaBenchError
from harness.jobs import Progress
from harness.learning.aggregation.base import Aggregation, Ground, Strategy, Update
from harness.learning.aggregation.registry import strategy_of
from harness.learning.drift import drift
from harness.learning.evaluation import Evaluate, Evaluation
from harness.learning.outgoing import Outgoing
from harness.learning.workload import Workload
from harness.profiles import Experiment
from harness.records import Drift, PrivacySpent
from harness.rounds.plan import RunPlan
from harness.rounds.selection import training_line
from harness.spending import spent_until
from harness.store import RunFolder

PERSONAL = "fedsa"
"""The method whose clients keep models of their own: its metrics are the mean of theirs."""


class BetweenRounds:
    """One run's learning side, as :class:`harness.jobs.Learning`; ``folder`` holds its files.

    A round may be evaluated in one thread while another one aggregates the next, or hands out what its clients are
    given.
    """

    def __init__(self, folder: RunFolder, experiment: Experiment, plan: RunPlan, workload: Workload) -> None:
        self._folder, self._plan, self._evaluator = folder, plan, workload.evaluator
        method = workload.prepare.method
        self._settings = workload.prepare.settings
        self._batch_size = workload.prepare.train.batch_size
        self._personal = method == PERSONAL
        # The server's noise covers its states; a client's own metrics would be of what it sent, without noise.
        told = method != "central" and self._settings.privacy.kind != "server"
        self.evaluates_clients = self._personal or (experiment.evaluate.clients and told)
        ground = Ground(
            spec=workload.prepare,
            layers=workload.layers,
            clients=plan.clients,
            clients_per_round=plan.clients_per_round,
            initial=folder.checkpoint(0),
            folder=folder.clients,
        )
        self._strategy: Strategy = strategy_of(ground)
        self._handing_out = threading.Lock()

    def get_ready(self, say: Callable[[str], None]) -> None:
        """Have the model that evaluates built, before anybody trains in this process beside it."""
        if self._evaluator is not None:
            say("building the model that evaluates beside the rounds")
            self._evaluator.built()

    def outgoing(self, round: int, client: int) -> Outgoing:
        """What a client is given to train from in ``round``."""
        folder = self._folder
        with self._handing_out:
            return self._strategy.outgoing(round, client, folder.checkpoint(round - 1), folder.outgoing(round))

    def again(self, round: int, updates: Sequence[Update]) -> str:
        """Make the checkpoint of ``round`` of its updates, in client order; its SHA-256."""
        return self._aggregated(round, updates).state_sha256

    def aggregate(self, round: int, updates: Sequence[Update]) -> Aggregation:
        """Make the checkpoint of ``round``, and the files that the clients of the next round are given."""
        made, plan, after = self._aggregated(round, updates), self._plan, round + 1
        if after <= plan.rounds:
            for client in training_line(plan.cohort_seed, after, plan.clients, plan.clients_per_round, plan.chosen):
                self.outgoing(after, client)
        return made

    def _aggregated(self, round: int, updates: Sequence[Update]) -> Aggregation:
        folder = self._folder
        before, out = folder.checkpoint(round - 1), folder.checkpoint(round)
        return self._strategy.aggregate(round, before, updates, out, beside=folder.outgoing(round + 1))

    def drift(self, round: int) -> Drift | None:
        """How far ``round`` moved the factors, layer by layer; None where a method has none."""
        return drift(self._folder.checkpoint(round - 1), self._folder.checkpoint(round))

    def privacy(self, round: int) -> PrivacySpent | None:
        """What was spent until the end of ``round``; None of a run without privacy."""
        privacy = self._settings.privacy
        records = self._folder.read_clients() if privacy.kind == "dp-sgd" else []
        return spent_until(round, privacy, self._plan, self._batch_size, records)

    def evaluate(self, round: int, clients: Sequence[int], progress: Progress) -> Evaluation:
        """Metrics of the state after ``round``, and those of its ``clients`` where they are asked for.

        Those of a client are of its own model, as its update has it. Of personal models the mean is told, and not how
        the checkpoint does, which no client has.
        """
        if self._evaluator is None:
            raise FederaBenchError("a null run has nothing to evaluate")
        evaluate: Evaluate = self._evaluator
        given = {client: self.outgoing(round, client).whole for client in (clients if self.evaluates_clients else ())}
        of_clients = {
            client: evaluate(whole, progress, round=round, update=self._folder.update(round, client))
            for client, whole in given.items()
        }
        if self._personal:
            return Evaluation(_mean(list(of_clients.values())), of_clients)
        return Evaluation(evaluate(self._folder.checkpoint(round), progress, round=round), of_clients)


def _mean(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The plain mean of each metric, over clients."""
    return {name: fmean(one[name] for one in metrics) for name in metrics[0]}
