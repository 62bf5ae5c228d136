"""Evaluating as the rest of the harness knows it: files in, metrics out; torch comes with the first call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Evaluation:
    """What a round's evaluation found: metrics of the global state, and by client those of its own model."""

    metrics: dict[str, float]
    client_metrics: dict[int, dict[str, float]] = field(default_factory=dict)


class Evaluate(Protocol):
    """Metrics of a state file."""

    def __call__(
        self,
        state: Path,
        progress: Callable[[float], None] | None = None,
        *,
        round: int = 0,
        update: Path | None = None,
    ) -> dict[str, float]:
        """``state`` is the checkpoint after ``round``, or with ``update`` what that client was given in it.

        ``progress`` is told the fraction done; what it raises ends the evaluation.
        """


class LazyEvaluator:
    """Builds the evaluator, and with it a model in memory, when it is first called."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments
        self._evaluate: Evaluate | None = None

    def __call__(
        self,
        state: Path,
        progress: Callable[[float], None] | None = None,
        *,
        round: int = 0,
        update: Path | None = None,
    ) -> dict[str, float]:
        """As :meth:`harness.learning.evaluator.Evaluator.evaluate`."""
        return self.built()(state, progress, round=round, update=update)

    def built(self) -> Evaluate:
        """What evaluates, built now if it is not yet.

        Building draws from torch's one generator, and puts it back as it was: nobody may train in this process then.
        """
        if self._evaluate is None:
            from harness.learning.evaluator import Evaluator

            self._evaluate = Evaluator(*self._arguments).evaluate
        return self._evaluate
