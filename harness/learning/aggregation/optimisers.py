"""Server optimisers: what FedAvgM, FedAdam and FedYogi make of a round's mean change; free of torch.

Delta = sum w_k (theta_k - theta), the mean change, stands where an optimiser has a negative gradient. FedAvgM (Hsu et
al., arXiv 1909.06335): m = b1 m + Delta, theta += lr m. FedAdam, FedYogi (Reddi et al., arXiv 2003.00295, algorithm 2):
m = b1 m + (1 - b1) Delta, theta += lr m / (sqrt(v) + tau), with v = b2 v + (1 - b2) Delta^2 of Adam and
v -= (1 - b2) Delta^2 sign(v - Delta^2) of Yogi. m begins at 0 and v at tau^2, the least that the paper allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Aggregation, Aside, Ground, Strategy, Update
from harness.learning.aggregation.cohort import Cohort, opened_cohort
from harness.learning.aggregation.errors import Made, errors_of
from harness.learning.aggregation.given import Given
from harness.learning.aggregation.layer import Array
from harness.learning.outgoing import Outgoing
from harness.learning.slices import Array as Single
from harness.learning.slices import Shape, SlicedState, slices, write_slices
from harness.profiles.methods import ServerProfile
from harness.records import ErrorComponents

FIRST, SECOND = f"{forms.SERVER}m/", f"{forms.SERVER}v/"
"""Moments m and v of a tensor, before its name in a checkpoint."""

Stepped = tuple[Array, Array, Array]
"""theta, m and v after a step, any shape."""
Step = Callable[[Array, Array, Array, Array], Stepped]
"""Makes them of theta, m and v before it, and Delta."""


def optimised(ground: Ground) -> Strategy:
    """The mean change through the server's optimiser, whose moments stand in the checkpoint."""
    return Optimised(ground)


def step_of(server: ServerProfile) -> Step:
    """The rule of an optimiser, value by value. Pure."""

    def momentum(theta: Array, m: Array, v: Array, delta: Array) -> Stepped:
        m = server.beta1 * m + delta
        return theta + server.lr * m, m, v

    def adaptive(theta: Array, m: Array, v: Array, delta: Array) -> Stepped:
        m = server.beta1 * m + (1 - server.beta1) * delta
        square = delta**2
        toward = square - v if server.optimiser == "adam" else square * np.sign(square - v)
        v = v + (1 - server.beta2) * toward
        return theta + server.lr * m / (np.sqrt(v) + server.tau), m, v

    return momentum if server.optimiser == "avgm" else adaptive


class Optimised:
    """A strategy for methods whose tensors mean the same in every round. Memory holds slices, as for the mean."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._given = ground, Given(ground)
        self._server = ground.spec.settings.server
        self._step = step_of(self._server)

    def aggregate(self, round: int, before: Path, updates: Sequence[Update], out: Path, beside: Path) -> Aggregation:
        """:meth:`harness.learning.aggregation.base.Strategy.aggregate`."""
        with opened_cohort(self._ground, round, before, updates) as cohort:
            shapes = self._shapes(cohort)
            sha256 = write_slices(out, shapes, self._values(cohort, shapes))
            return measured_after(cohort, out, self._given.knows(out, sha256))

    def outgoing(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        """:meth:`harness.learning.aggregation.base.Strategy.outgoing`."""
        return self._given.outgoing(round, client, before, folder)

    def _shapes(self, cohort: Cohort) -> dict[str, Shape]:
        """Of the checkpoint: the state and the moments of what is trained; FedAvgM has the first alone."""
        trained = cohort.updates[0][0].shapes
        moments = (FIRST,) if self._server.optimiser == "avgm" else (FIRST, SECOND)
        kept = {prefix + name: shape for prefix in moments for name, shape in trained.items()}
        return {**cohort.before.shapes, **kept}

    def _values(self, cohort: Cohort, shapes: dict[str, Shape]) -> Iterator[Single]:
        for name in sorted(shapes):
            for start, stop in slices(shapes[name]):
                yield self._slice(cohort, name, start, stop).astype(np.float32)

    def _slice(self, cohort: Cohort, name: str, start: int, stop: int) -> Array | Single:
        """A slice of the checkpoint. The step is taken anew for each of theta, m and v: files come by their names."""
        prefix = next((prefix for prefix in (FIRST, SECOND) if name.startswith(prefix)), "")
        tensor = name.removeprefix(prefix)
        if tensor not in cohort.updates[0][0].shapes:
            return cohort.before.values(name, start, stop)  # A of FFA-LoRA: nobody trains it
        theta = cohort.before.values(tensor, start, stop).astype(np.float64)
        m, v = (
            self._moment(cohort, prefix + tensor, theta, begin, start, stop)
            for prefix, begin in ((FIRST, 0.0), (SECOND, self._server.tau**2))
        )
        after = self._step(theta, m, v, _mean_change(cohort, tensor, theta, start, stop))
        return after[("", FIRST, SECOND).index(prefix)]

    def _moment(self, cohort: Cohort, name: str, like: Array, begin: float, start: int, stop: int) -> Array:
        if name not in cohort.before.shapes:
            return np.full_like(like, begin)
        return cohort.before.values(name, start, stop).astype(np.float64)


def measured_after(cohort: Cohort, out: Path, sha256: str) -> Aggregation:
    """A round whose new state stands in the checkpoint ``out``, with its error components where it has factors."""
    if not cohort.ground.layers:
        return Aggregation(sha256)
    with (aside := Aside()):
        errors = _errors_after(cohort, out)
    return Aggregation(sha256, errors, aside.seconds)


def _errors_after(cohort: Cohort, out: Path) -> ErrorComponents:
    names = sorted(cohort.ground.layers)
    with SlicedState(out) as after:
        made = (_factors(after, name) for name in names)
        return errors_of(map(cohort.layer, names), made)


def _factors(state: SlicedState, layer: str) -> Made:
    return files.tensor(state, layer + forms.B), files.tensor(state, layer + forms.A), None


def _mean_change(cohort: Cohort, name: str, theta: Array, start: int, stop: int) -> Array:
    """A slice of Delta, in float64 and client order.

    Raises:
        TrainerError: an update has a value that is not finite.
    """
    total = np.zeros_like(theta)
    for weight, (file, _) in zip(cohort.weights, cohort.updates, strict=True):
        values = file.values(name, start, stop)
        files.see_finite(values, name, file.path)
        total += weight * (values.astype(np.float64) - theta)
    return total
