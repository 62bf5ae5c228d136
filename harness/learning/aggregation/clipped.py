"""Differential privacy at the server, client by client: changes are clipped and noised before they are aggregated.

DP-FedAvg (McMahan et al., arXiv 1710.06963): a client's change over all that it sends is clipped to the norm C jointly,
the clipped ones are summed with equal weights, noise normal(0, (sigma C)^2) is added to each value of the sum, and that
is divided by the number of clients that a round is to have, however many came. Noise meets changes alone, never the
state that they are added to. What FRA makes of the noised sum, by SVD, is post-processing and costs nothing.

The server sees the updates as they are, and is trusted with them. Error components are not told: they would be of what
clients learned before it was clipped, which no noise covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Aggregation, Ground, Strategy, Update
from harness.learning.aggregation.cohort import Cohort, opened_cohort
from harness.learning.aggregation.fra import fra_of
from harness.learning.aggregation.given import Given
from harness.learning.aggregation.layer import Array
from harness.learning.aggregation.lowrank import as_product, best_factors, decomposed
from harness.learning.outgoing import Outgoing
from harness.learning.seeding import derived_seed
from harness.profiles.methods import PrivacyProfile

Tensors = dict[str, Array]


def clipped(ground: Ground) -> Strategy:
    """The method's own aggregation, of clipped and noised changes."""
    return Clipped(ground)


class Clipped:
    """FedLR, FeDeRA, FFA-LoRA: the change of each tensor that is sent. FRA: s (B_k A_k - B A) of each layer instead.

    FRA that has gone over to a frozen A (fra-ffa) is FFA-LoRA. Clipping needs the norms of all that a client sends, so
    each update is read twice; a layer's changes are in memory at a time.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground, self._given = ground, Given(ground)

    def aggregate(self, round: int, before: Path, updates: Sequence[Update], out: Path, beside: Path) -> Aggregation:
        """:meth:`harness.learning.aggregation.base.Strategy.aggregate`."""
        with opened_cohort(self._ground, round, before, updates) as cohort:
            state = {name: files.tensor(cohort.before, name) for name in cohort.before.shapes}
            for name, change in self._noised(cohort).items():
                state |= self._added(cohort, name, change)
            return Aggregation(self._given.knows(out, files.write(out, state)))

    def outgoing(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        """:meth:`harness.learning.aggregation.base.Strategy.outgoing`."""
        return self._given.outgoing(round, client, before, folder)

    def _noised(self, cohort: Cohort) -> Tensors:
        """The mean change of each tensor, or of each layer's weight, clipped and noised."""
        names = self._moved(cohort)
        privacy, spec = self._ground.spec.settings.privacy, self._ground.spec
        squares = sum(np.array([float(np.sum(one**2)) for one in _changes(cohort, name)]) for name in names)
        shares = clip_factors(np.sqrt(squares), privacy.clip)
        source = np.random.Generator(np.random.PCG64(derived_seed(f"privacy/{spec.seed}/{cohort.round}")))
        return {
            name: noised_mean(_changes(cohort, name), shares, privacy, self._ground.clients_per_round, source)
            for name in names
        }

    def _moved(self, cohort: Cohort) -> list[str]:
        """Names of what is clipped: layers where products are aggregated, and tensors; always in this order."""
        sent = sorted(cohort.updates[0][0].shapes)
        if self._ground.spec.method not in ("fra", "fra-ffa") or "A" not in cohort.form.trained:
            return sent
        return sorted(self._ground.layers) + forms.of_kinds(sent, frozenset({"rest"}))

    def _added(self, cohort: Cohort, name: str, change: Array) -> Tensors:
        """The state's tensors after a change."""
        if name not in self._ground.layers:
            return {name: files.tensor(cohort.before, name) + change}
        layer, spec = cohort.layer(name), self._ground.spec
        fra = fra_of(spec.settings, cohort.round) if spec.method == "fra-ffa" else spec.settings.fra
        terms = [(1.0, layer.b_before, layer.a_before), as_product(change / layer.scale)]
        b, a = best_factors(decomposed(terms, fra.route), layer.b_before.shape[1], fra.split, layer.a_before)
        return {name + forms.B: b, name + forms.A: a}


def clip_factors(norms: Array, clip: float) -> Array:
    """What each change is multiplied with so that its norm is at most ``clip``: min(1, clip / norm)."""
    return clip / np.maximum(norms, clip)


def noised_mean(
    changes: Sequence[Array], shares: Array, privacy: PrivacyProfile, clients: int, source: np.random.Generator
) -> Array:
    """(sum share_k change_k + normal(0, (sigma C)^2)) / clients, in client order; all of one shape."""
    total = privacy.noise_multiplier * privacy.clip * source.standard_normal(changes[0].shape)
    for share, change in zip(shares, changes, strict=True):
        total += share * change
    return total / clients


def _changes(cohort: Cohort, name: str) -> list[Array]:
    """What each client changed of a tensor; of a layer, of its weight: s (B_k A_k - B A) [d, k]."""
    if name not in cohort.ground.layers:
        given = files.tensor(cohort.before, name)
        return [files.tensor(file, name) - given for file, _ in cohort.updates]
    layer = cohort.layer(name)
    product = layer.b_before @ layer.a_before
    return [layer.scale * (b @ a - product) for b, a in zip(layer.b, layer.a, strict=True)]
