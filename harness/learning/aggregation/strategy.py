"""Aggregating low-rank adapters: a rule for one layer, and everything around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Aggregation, Aside, Ground, Update
from harness.learning.aggregation.cohort import Cohort, opened_cohort
from harness.learning.aggregation.errors import Squares, components, made_by, squares_of
from harness.learning.aggregation.exact import Single, folded
from harness.learning.aggregation.given import STACK_FILE, Given, form_of
from harness.learning.aggregation.layer import LayerResult, LayerUpdates, Rule
from harness.learning.aggregation.mean import mean_tensor
from harness.learning.outgoing import Outgoing

States = dict[str, Single]


class LowRank:
    """A strategy that reduces layer by layer with ``rule``; what is not a factor is averaged by samples.

    ``norms``: the rule weighs by what all layers of a client learned together.
    """

    def __init__(self, ground: Ground, rule: Rule, *, norms: bool = False) -> None:
        self._ground, self._rule, self._norms = ground, rule, norms
        self._given = Given(ground)

    def aggregate(self, round: int, before: Path, updates: Sequence[Update], out: Path, beside: Path) -> Aggregation:
        """:meth:`harness.learning.aggregation.base.Strategy.aggregate`."""
        aside = Aside()
        with opened_cohort(self._ground, round, before, updates) as cohort:
            if self._norms:
                cohort = cohort.with_norms()
            state, stack, squares = self._reduced(cohort, aside)
            state |= means_of_rest(cohort)
        if stack:
            beside.mkdir(parents=True, exist_ok=True)
            files.write(beside / STACK_FILE, stack, synced=True)
        sha256 = self._given.knows(out, files.write(out, state))
        return Aggregation(sha256, components(squares), aside.seconds)

    def outgoing(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        """:meth:`harness.learning.aggregation.base.Strategy.outgoing`."""
        return self._given.outgoing(round, client, before, folder)

    def _reduced(self, cohort: Cohort, aside: Aside) -> tuple[States, States, Squares]:
        """All layers after the round: what the checkpoint has of them, the stacks, and what was lost."""
        state, stack, squares = States(), States(), Squares()
        form, later = cohort.form, form_of(self._ground, cohort.round + 1)
        restored = form.residual_base and not later.residual_base
        for name in sorted(self._ground.layers):
            layer = cohort.layer(name)
            result = self._rule(layer)
            with aside:
                squares += squares_of(layer, made_by(layer, result, base_restored=restored))
            state |= _kept(name, result)
            if later.change:
                added = _stack(name, layer, result)
                stack |= added
                state[forms.CHANGE + name] = folded(_change(cohort, name), *added.values())
        return state, stack, squares


def means_of_rest(cohort: Cohort) -> States:
    """The means of what every client trains beside the factors."""
    names = forms.of_kinds(cohort.updates[0][0].shapes, frozenset({"rest"}))
    return {name: mean_tensor(cohort.updates, name) for name in names}


def _kept(name: str, result: LayerResult) -> States:
    """What the checkpoint has of a layer beside its change."""
    kept = States()
    if result.b is not None and result.a is not None:
        kept[name + forms.B], kept[name + forms.A] = result.b.astype(np.float32), result.a.astype(np.float32)
    if result.feedback is not None:
        kept[f"{forms.SERVER}feedback/{name}"] = result.feedback.astype(np.float32)
    return kept


def _stack(name: str, layer: LayerUpdates, result: LayerResult) -> States:
    """The factors of what is added to a layer's frozen weight, B first; of width 0 where nothing is."""
    b, a = result.stack or (layer.b_before[:, :0], layer.a_before[:0])
    prefix = forms.STACK + name
    return {f"{prefix}.B": b.astype(np.float32), f"{prefix}.A": a.astype(np.float32)}


def _change(cohort: Cohort, name: str) -> Single | None:
    """What was added to a layer's frozen weight before this round; None: nothing."""
    tensor = forms.CHANGE + name
    return files.single(cohort.before, tensor) if tensor in cohort.before.shapes else None
