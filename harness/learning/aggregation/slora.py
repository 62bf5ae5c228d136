"""SLoRA: sparse fine-tuning first, then LoRA that begins with what it learned (arXiv 2308.06522)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Aggregation, Ground, Update
from harness.learning.aggregation.cohort import Cohort, opened_cohort
from harness.learning.aggregation.errors import Squares, components
from harness.learning.aggregation.layer import Array
from harness.learning.aggregation.lowrank import as_product, best_factors, decomposed
from harness.learning.aggregation.mean import mean_tensor
from harness.learning.aggregation.means import mean_rule
from harness.learning.aggregation.plain import Plain
from harness.learning.aggregation.strategy import LowRank, States, means_of_rest
from harness.learning.outgoing import Outgoing
from harness.learning.sparse import mask


class SLoRA:
    """The first ``switch_round`` rounds average the values of one shared mask, the others factors of low rank.

    At the end of the first stage B = U_r S_r / s and A = V_r^T of the accumulated change take its place; what rank r
    does not hold is lost, which the errors of that round tell. Before it there are no factors, and no errors.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._sparse = Plain(ground)
        self._low_rank = LowRank(ground, mean_rule(ground.spec.settings))

    def aggregate(self, round: int, before: Path, updates: Sequence[Update], out: Path, beside: Path) -> Aggregation:
        """:meth:`harness.learning.aggregation.base.Strategy.aggregate`."""
        switch = self._ground.spec.settings.switch_round
        if round == switch:
            return self._switched(round, before, updates, out)
        stage = self._sparse if round < switch else self._low_rank
        return stage.aggregate(round, before, updates, out, beside)

    def outgoing(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        """:meth:`harness.learning.aggregation.base.Strategy.outgoing`."""
        return self._sparse.outgoing(round, client, before, folder)

    def _switched(self, round: int, before: Path, updates: Sequence[Update], out: Path) -> Aggregation:
        settings, state, squares = self._ground.spec.settings, States(), Squares()
        with opened_cohort(self._ground, round, before, updates) as cohort:
            for layer in sorted(self._ground.layers):
                change, moved = self._accumulated(cohort, layer)
                b, a, lost = principal(change, settings.rank)
                state[layer + forms.B] = (b * (settings.rank / settings.alpha)).astype(np.float32)
                state[layer + forms.A] = a.astype(np.float32)
                squares += Squares(change=moved, truncation=lost, made=lost)
            state |= means_of_rest(cohort)
        return Aggregation(files.write(out, state), components(squares))

    def _accumulated(self, cohort: Cohort, layer: str) -> tuple[Array, float]:
        """The change of a layer's weight since round 0 [d, k], and the squared norm of what this round adds to it."""
        shape, name = self._ground.layers[layer], layer + forms.SPARSE
        mean = mean_tensor(cohort.updates, name).astype(np.float64)
        moved = mean - files.tensor(cohort.before, name)
        change = np.zeros(shape[0] * shape[1])
        change[mask(self._ground.spec.seed, layer, shape, self._ground.spec.settings.density)] = mean
        return change.reshape(shape), float(moved @ moved)


def principal(change: Array, rank: int) -> tuple[Array, Array, float]:
    """B = U_r S_r [d, r] and A = V_r^T [r, k] of a dense change, and the squared norm of what they leave of it."""
    parts = decomposed([as_product(change)], "dense")
    # Rows of V are orthonormal also where there is no singular value: there B can still grow from zero.
    begun = np.zeros((rank, change.shape[1]))
    begun[: len(parts.vt)] = parts.vt[:rank]
    b, a = best_factors(parts, rank, "into-b", begun)
    lost = parts.s[rank:]
    return b, a, float(lost @ lost)
