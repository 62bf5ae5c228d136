"""The plain weighted mean as a strategy: the checkpoint is what clients are given, and no byte is copied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.learning.aggregation.base import Aggregation, Aside, Ground, Update
from harness.learning.aggregation.cohort import in_client_order, opened_cohort
from harness.learning.aggregation.errors import errors_of, made_by
from harness.learning.aggregation.given import Given, form_of
from harness.learning.aggregation.mean import weighted_mean
from harness.learning.aggregation.means import mean_rule
from harness.learning.outgoing import Outgoing
from harness.records import ErrorComponents


class Plain:
    """FedAvg of everything that is trained, whatever it is; of low-rank factors it tells what that loses."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._rule = mean_rule(ground.spec.settings)
        self._given = Given(ground)

    def aggregate(self, round: int, before: Path, updates: Sequence[Update], out: Path, beside: Path) -> Aggregation:
        """:meth:`harness.learning.aggregation.base.Strategy.aggregate`."""
        sha256 = self._averaged(updates, out)
        if not {"A", "B"} <= form_of(self._ground, round).trained:
            return Aggregation(sha256)
        with (aside := Aside()):
            errors = self._errors(round, before, updates)
        return Aggregation(sha256, errors, aside.seconds)

    def outgoing(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        """:meth:`harness.learning.aggregation.base.Strategy.outgoing`."""
        return self._given.outgoing(round, client, before, folder)

    def _averaged(self, updates: Sequence[Update], out: Path) -> str:
        pairs = [(update.path, update.samples) for update in in_client_order(updates)]
        return self._given.knows(out, weighted_mean(pairs, out, synced=False))

    def _errors(self, round: int, before: Path, updates: Sequence[Update]) -> ErrorComponents:
        with opened_cohort(self._ground, round, before, updates) as cohort:
            names = sorted(self._ground.layers)
            made = (made_by(layer, self._rule(layer)) for layer in map(cohort.layer, names))
            return errors_of(map(cohort.layer, names), made)
