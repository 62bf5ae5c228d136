"""The controller's errands: what the learning side does between rounds, and the facts that come of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from harness.learning.aggregation.base import Aggregation, Update
from harness.learning.evaluation import Evaluation
from harness.learning.outgoing import Outgoing
from harness.records import Drift, PrivacySpent
from harness.rounds.events import Aggregated, AnyEvent, Evaluated

Progress = Callable[[float], None]


class Learning(Protocol):
    """What the controller asks of the learning side. Rounds count from 1; states are the run's files."""

    def outgoing(self, round: int, client: int) -> Outgoing:
        """What a client is given to train from in ``round``."""

    def aggregate(self, round: int, updates: Sequence[Update]) -> Aggregation:
        """Make the checkpoint of ``round`` of its updates, in client order, and what the next round is given."""

    def drift(self, round: int) -> Drift | None:
        """How far ``round`` moved the factors, layer by layer; None where a method has none."""

    def privacy(self, round: int) -> PrivacySpent | None:
        """What was spent until the end of ``round``; None of a run without privacy."""

    def evaluate(self, round: int, clients: Sequence[int], progress: Progress) -> Evaluation:
        """Metrics of the state after ``round``, and those of its ``clients`` where they are asked for.

        ``progress`` is told the fraction done, and may raise to end it.
        """


def aggregating(
    learning: Learning,
    round: int,
    updates: Sequence[Update],
    record_drift: bool,
    secure: Callable[[], None] | None = None,
) -> Callable[[], AnyEvent]:
    """The errand that makes a round's state; the seconds are those that clients wait for, without what is measured.

    Nor do they wait until the state is on the disk: where nothing may be told of it before, ``secure`` waits for that.
    """

    def aggregate() -> AnyEvent:
        started_s = time.monotonic()
        made = learning.aggregate(round, updates)
        made_s = time.monotonic()
        if secure is not None:
            secure()
        drift, privacy = learning.drift(round) if record_drift else None, learning.privacy(round)
        return Aggregated(
            at_s=0.0,
            round=round,
            state_sha256=made.state_sha256,
            aggregate_s=made_s - started_s - made.aside_s,
            aside_s=time.monotonic() - made_s + made.aside_s,
            drift=drift,
            errors=made.errors,
            privacy=privacy,
        )

    return aggregate


def evaluating(learning: Learning, round: int, clients: Sequence[int], progress: Progress) -> Callable[[], AnyEvent]:
    """The errand that evaluates a round's state."""

    def evaluate() -> AnyEvent:
        started_s = time.monotonic()
        found = learning.evaluate(round, clients, progress)
        spent_s = time.monotonic() - started_s
        return Evaluated(
            at_s=0.0,
            round=round,
            metrics=found.metrics,
            evaluate_s=spent_s,
            client_metrics=found.client_metrics,
        )

    return evaluate
