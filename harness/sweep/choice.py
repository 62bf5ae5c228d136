"""Which learning rate is best. Pure: outcomes of runs in, a rate for each method out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from harness.profiles import Method
from harness.sweep.plan import Asked, Planned, Stage

WORST = 0.0
"""What a failed run counts as: targets' metrics are shares, and more is better."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. ``best`` is the target's metric, best over the rounds; null where it was never evaluated."""

    stage: Stage
    method: Method
    lr: float
    seed: int
    state: Literal["done", "failed"]
    best: float | None = None
    reason: str | None = None

    @property
    def score(self) -> float:
        """What it counts as when rates are compared."""
        return self.best if self.state == "done" and self.best is not None else WORST


def best_lr(by_lr: Mapping[float, Sequence[Outcome]]) -> float | None:
    """The rate whose runs have the best mean score; of equals the smallest. None where no run is done."""
    usable = {lr: outcomes for lr, outcomes in by_lr.items() if any(outcome.state == "done" for outcome in outcomes)}
    means = {lr: statistics.fmean(outcome.score for outcome in outcomes) for lr, outcomes in usable.items()}
    return min(means, key=lambda lr: (-means[lr], lr), default=None)


def chosen_lrs(asked: Asked, outcomes: Sequence[Outcome]) -> dict[Method, float]:
    """The rate of each method: its only one, or the best by its validation runs.

    A method is left out while some of them have not ended, or where none is done.
    """
    chosen: dict[Method, float] = {}
    for method in asked.methods:
        rates = asked.lrs[method]
        by_lr = {lr: runs_of(outcomes, "validation", method, lr) for lr in rates}
        ended = all(len(of) == len(asked.tune_seeds) for of in by_lr.values())
        best = rates[0] if len(rates) == 1 else best_lr(by_lr) if ended else None
        if best is not None:
            chosen[method] = best
    return chosen


def runs_of(outcomes: Sequence[Outcome], stage: Stage, method: Method, lr: float) -> list[Outcome]:
    """The outcomes of one stage, method and rate, by seed."""
    found = [one for one in outcomes if (one.stage, one.method, one.lr) == (stage, method, lr)]
    return sorted(found, key=lambda outcome: outcome.seed)


def outcome_of(
    planned: Planned, state: Literal["done", "failed"], metrics: Sequence[Mapping[str, float]], reason: str | None
) -> Outcome:
    """How a planned run ended, from the metrics of its rounds."""
    name = planned.experiment.target.metric
    return Outcome(
        stage=planned.stage,
        method=planned.method,
        lr=planned.lr,
        seed=planned.seed,
        state=state,
        best=max((values[name] for values in metrics if name in values), default=None),
        reason=reason,
    )
