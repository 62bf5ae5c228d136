"""A round's updates, open and checked: what its clients learned of each adapted layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Ground, Update
from harness.learning.aggregation.given import form_of, update_shapes
from harness.learning.aggregation.layer import Array, LayerUpdates
from harness.learning.aggregation.lowrank import product_norm
from harness.learning.forms import Form
from harness.learning.slices import SlicedState


@dataclass(frozen=True)
class Cohort:
    """The open files of a round, updates in client order. ``norms`` are ||B_k A_k||_F of each over all layers."""

    ground: Ground
    round: int
    before: SlicedState
    initial: SlicedState
    updates: Sequence[files.OpenUpdate]
    norms: tuple[float, ...] = ()

    @property
    def form(self) -> Form:
        """What this round moved."""
        return form_of(self.ground, self.round)

    @property
    def weights(self) -> tuple[float, ...]:
        """w_k = n_k / sum n."""
        total = sum(samples for _, samples in self.updates)
        return tuple(samples / total for _, samples in self.updates)

    def layer(self, name: str) -> LayerUpdates:
        """What the clients learned of one layer.

        Raises:
            TrainerError: a value of an update is not finite.
            BlobError: a file ends within it.
        """
        b_init, a_init = (self._initial(name, part) for part in (forms.B, forms.A))
        if self.form.fresh:
            b_before, a_before = b_init, a_init
        else:
            b_before, a_before = (files.tensor(self.before, name + part) for part in (forms.B, forms.A))
        feedback = f"{forms.SERVER}feedback/{name}"
        return LayerUpdates(
            round=self.round,
            scale=self.ground.spec.settings.alpha / self.ground.spec.settings.rank,
            weights=self.weights,
            b=self._learned(name + forms.B, b_before),
            a=self._learned(name + forms.A, a_before),
            b_before=b_before,
            a_before=a_before,
            b_init=b_init,
            a_init=a_init,
            norms=self.norms,
            feedback=files.tensor(self.before, feedback) if feedback in self.before.shapes else None,
        )

    def _learned(self, name: str, common: Array) -> tuple[Array, ...]:
        """A factor of each client; the same array for all where this round does not train it."""
        if forms.kind_of(name) not in self.form.trained:
            return (common,) * len(self.updates)
        return tuple(files.tensor(file, name) for file, _ in self.updates)

    def _initial(self, layer: str, part: str) -> Array:
        """A0 or B0; zero where factors are drawn by clients or come later."""
        if layer + part in self.initial.shapes:
            return files.tensor(self.initial, layer + part)
        (d, k), rank = self.ground.layers[layer], self.ground.spec.settings.rank
        return np.zeros((d, rank) if part == forms.B else (rank, k))

    def with_norms(self) -> Cohort:
        """The same cohort, its norms told."""
        squares = np.zeros(len(self.updates))
        for name in sorted(self.ground.layers):
            layer = self.layer(name)
            squares += np.array([product_norm(b, a) ** 2 for b, a in zip(layer.b, layer.a, strict=True)])
        norms = tuple(float(norm) for norm in np.sqrt(squares))
        return Cohort(self.ground, self.round, self.before, self.initial, self.updates, norms)


@contextmanager
def opened_cohort(ground: Ground, round: int, before: Path, updates: Sequence[Update]) -> Iterator[Cohort]:
    """Open a round's files, in client order, and see that each update has what its client was to train.

    Raises:
        BlobError: a file is not safetensors of float32, or lacks something, or has too much.
        TrainerError: there are no updates, or one has no samples.
    """
    ordered = in_client_order(updates)
    pairs = [(update.path, update.samples) for update in ordered]
    with SlicedState(before) as old, SlicedState(ground.initial) as initial, files.opened(pairs) as opened:
        form = form_of(ground, round)
        for update, (file, _) in zip(ordered, opened, strict=True):
            rank = ground.spec.settings.rank_of(update.client)
            files.see_layout(file, update_shapes(ground, form, rank, old.shapes), "what its client was given")
        yield Cohort(ground, round, old, initial, opened)


def in_client_order(updates: Sequence[Update]) -> list[Update]:
    """The order in which everything is summed, whatever came first."""
    return sorted(updates, key=lambda update: update.client)
