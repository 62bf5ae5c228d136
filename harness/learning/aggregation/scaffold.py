"""SCAFFOLD at the server (Karimireddy et al., arXiv 1910.06378, algorithm 1); free of torch.

The server's control variate c stands in the checkpoint, each client's c_k in the run's folder for what is its own. A
client is given c - c_k, which it adds to its gradients, and sends its new c_k. c += sum (c_k+ - c_k) / N over the
round's clients, of N in all (line 17): while all take part, c is the mean of the c_k. As the mean of the states weighs
by samples and that of the variates does not, unequal clients are drawn towards the mean of their optima, one each, as
in the paper. With AdamW the correction meets another optimiser than the paper's SGD: "adapted". What a client sends as
c_k+ is its mean gradient (:mod:`harness.learning.corrections`): under SGD that is the paper's option II.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Aggregation, Ground, Strategy, Update
from harness.learning.aggregation.cohort import Cohort, in_client_order
from harness.learning.aggregation.given import form_of, given_names, layout_of, update_shapes
from harness.learning.aggregation.mean import mean_slices
from harness.learning.aggregation.optimisers import measured_after
from harness.learning.aggregation.own import Own
from harness.learning.outgoing import Outgoing
from harness.learning.slices import Array, Shape, SlicedState, slices, write_slices


def scaffold(ground: Ground) -> Strategy:
    """The mean of the states, and control variates beside it."""
    return Scaffold(ground)


class Scaffold:
    """A strategy for methods whose tensors mean the same in every round. Memory holds slices, as for the mean."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._own = ground, Own(ground.folder)
        self._made: dict[tuple[int, int], Outgoing] = {}

    def aggregate(self, round: int, before: Path, updates: Sequence[Update], out: Path, beside: Path) -> Aggregation:
        """:meth:`harness.learning.aggregation.base.Strategy.aggregate`."""
        ordered = in_client_order(updates)
        with ExitStack() as stack:
            old, initial = (stack.enter_context(SlicedState(path)) for path in (before, self._ground.initial))
            opened = stack.enter_context(files.opened((update.path, update.samples) for update in ordered))
            expected = self._update_shapes(round, old.shapes)
            for file, _ in opened:
                files.see_layout(file, expected, "what its client was given")
            self._own.forget(round, but=[update.client for update in ordered])
            kept = [self._own.latest(update.client, round) for update in ordered]
            variates = [None if path is None else stack.enter_context(SlicedState(path)) for path in kept]
            cohort = Cohort(self._ground, round, old, initial, opened)
            shapes = {**old.shapes, **expected}
            sha256 = write_slices(out, shapes, self._values(cohort, variates, shapes))
            for update, (file, _) in zip(ordered, opened, strict=True):
                self._own.keep(update.client, round, _controls(file))
            return measured_after(cohort, out, sha256)

    def outgoing(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        """:meth:`harness.learning.aggregation.base.Strategy.outgoing`."""
        if (round, client) not in self._made:
            self._made = {key: made for key, made in self._made.items() if key[0] >= round - 1}
            self._made[round, client] = self._make(round, client, before, folder)
        return self._made[round, client]

    def _make(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        with ExitStack() as stack:
            state = stack.enter_context(SlicedState(before))
            path = self._own.latest(client, round)
            own = None if path is None else stack.enter_context(SlicedState(path))
            update = self._update_shapes(round, state.shapes)
            tensors = {
                name: files.single(state, name) for name in given_names(state.shapes, form_of(self._ground, round))
            }
            for name in update:
                if name.startswith(forms.CONTROL):
                    tensors[name] = _correction(name, update[name], state, own)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"client-{client:04d}.safetensors"
        return Outgoing(whole=file, sha256=files.write(file, tensors), update=layout_of(update))

    def _update_shapes(self, round: int, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
        """What a client sends: all that it trained, and a control variate of each."""
        settings = self._ground.spec.settings
        trained = update_shapes(self._ground, form_of(self._ground, round), settings.rank, shapes)
        return trained | {forms.CONTROL + name: shape for name, shape in trained.items()}

    def _values(
        self, cohort: Cohort, variates: Sequence[SlicedState | None], shapes: Mapping[str, Shape]
    ) -> Iterator[Array]:
        """The slices of the checkpoint, in the order of names."""
        for name in sorted(shapes):
            if name.startswith(forms.CONTROL):
                yield from self._variate(cohort, variates, name, shapes[name])
            elif name in cohort.updates[0][0].shapes:
                yield from mean_slices(cohort.updates, name)
            else:  # A of FFA-LoRA: nobody trains it
                yield from (cohort.before.values(name, start, stop) for start, stop in slices(shapes[name]))

    def _variate(
        self, cohort: Cohort, variates: Sequence[SlicedState | None], name: str, shape: Shape
    ) -> Iterator[Array]:
        """The slices of c += sum (c_k+ - c_k) / N, summed in float64 and client order.

        Raises:
            TrainerError: a variate has a value that is not finite.
        """
        for start, stop in slices(shape):
            moved = np.zeros(stop - start)
            for (file, _), own in zip(cohort.updates, variates, strict=True):
                new = file.values(name, start, stop)
                files.see_finite(new, name, file.path)
                moved += new.astype(np.float64) - _values_of(own, name, start, stop)
            total = _values_of(cohort.before, name, start, stop) + moved / self._ground.clients
            yield total.astype(np.float32)


def _values_of(state: SlicedState | None, name: str, start: int, stop: int) -> Array:
    """Of a control variate; zero before there is one."""
    if state is None or name not in state.shapes:
        return np.zeros(stop - start, np.float32)
    return state.values(name, start, stop)


def _correction(name: str, shape: Shape, state: SlicedState, own: SlicedState | None) -> Array:
    """c - c_k, of the tensor's shape."""
    parts = [_values_of(state, name, *part) - _values_of(own, name, *part) for part in slices(shape)]
    return np.concatenate([np.zeros(0, np.float32), *parts]).reshape(shape)


def _controls(update: SlicedState) -> dict[str, Array]:
    """A client's new c_k."""
    return {name: files.single(update, name) for name in update.shapes if name.startswith(forms.CONTROL)}
