"""What aggregating low-rank factors loses in a round: averaging, truncation, and what the method made of it. Pure.

All products of a layer are taken in orthonormal bases of the stacked factors (QR), so that nothing is larger than the
stack is wide; only where that is wider than the matrix are they dense. What clients learned is kept as differences from
what they were given, D_k = B_k - B and E_k = A_k - A: small changes of large factors keep their digits, nothing learned
is exactly zero, and so is the averaging error over a common A.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from itertools import accumulate

import numpy as np

from harness.learning.aggregation.layer import Array, LayerResult, LayerUpdates
from harness.learning.aggregation.lowrank import triangle
from harness.records import ErrorComponents

Made = tuple[Array, Array, tuple[Array, Array] | None]
"""M' = s B A + B_s A_s: new factors B [d, r], A [r, k], and a stack in units of W, if there is one."""


@dataclass(frozen=True)
class Squares:
    """Squared norms of :class:`harness.records.ErrorComponents`, of some layers: those of all are their sum."""

    change: float = 0.0
    averaging: float = 0.0
    truncation: float = 0.0
    made: float = 0.0

    def __add__(self, other: Squares) -> Squares:
        return Squares(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


def errors_of(layers: Iterable[LayerUpdates], made: Iterable[Made]) -> ErrorComponents:
    """The error components of a round: of all its layers, and of what was made of each, in the same order.

    Both may be generators, one layer in memory at a time.
    """
    return components(sum((squares_of(layer, new) for layer, new in zip(layers, made, strict=True)), start=Squares()))


def components(squares: Squares) -> ErrorComponents:
    """Norms, and all but the change's relative to the change's; None where nothing changed."""
    change, *others = (square**0.5 for square in astuple(squares))
    averaging, truncation, of_made = (norm / change if change else None for norm in others)
    return ErrorComponents(change=change, averaging=averaging, truncation=truncation, made=of_made)


def made_by(layer: LayerUpdates, result: LayerResult, *, base_restored: bool = False) -> Made:
    """M' of a rule's result, over the frozen weights that the clients of this round had.

    Factors that begin anew have the product they began with. ``base_restored``: the frozen weights were W - s B0 A0 in
    this round and are W in the next (increments), so that all are given s B0 A0 with them.
    """
    b, a = (layer.b_before, layer.a_before) if result.b is None or result.a is None else (result.b, result.a)
    stacks = [result.stack] if result.stack is not None else []
    if base_restored:
        stacks.append((layer.scale * layer.b_init, layer.a_init))
    if not stacks:
        return b, a, None
    return b, a, (np.hstack([left for left, _ in stacks]), np.vstack([right for _, right in stacks]))


def squares_of(layer: LayerUpdates, made: Made) -> Squares:
    """The squared norms of one layer; M is s sum w_k B_k A_k.

    A client of rank r_k was given the first r_k components; means are those of factors padded with zeros.
    """
    new_b, new_a, stack = made
    before_b, before_a = layer.b_before, layer.a_before
    extra_b, extra_a = ([stack[0]], [stack[1].T]) if stack else ([], [])
    learned_b = [b - before_b[:, : b.shape[1]] for b in layer.b]
    learned_a = [(a - before_a[: len(a)]).T for a in layer.a]
    *d, l0, g, l_stack = _coordinates([*learned_b, before_b, new_b - before_b, *extra_b], len(layer.b) + 3)
    *e, r0, h, r_stack = _coordinates([*learned_a, before_a.T, (new_a - before_a).T, *extra_a], len(layer.a) + 3)
    held = _held(layer, l0.shape[1])
    change = _change(layer.weights, d, e, l0, r0)
    moved = g @ (r0 + h).T + l0 @ h.T + (l0 * (1 - held)) @ r0.T + l_stack @ r_stack.T / layer.scale
    values = _singular_values(change + (l0 * held) @ r0.T)
    parts = (change, _averaging(layer.weights, d, e, l0, r0, held), values[l0.shape[1] :], change - moved)
    return Squares(*(float((layer.scale * part).ravel() @ (layer.scale * part).ravel()) for part in parts))


def _coordinates(blocks: Sequence[Array], number: int) -> list[Array]:
    """Each block [d, n_i] in one orthonormal basis of all: ``number`` of [p, n_i], empty ones for those not given."""
    side = triangle(np.hstack(blocks))
    ends = list(accumulate(block.shape[1] for block in blocks))
    found = np.split(side, ends[:-1], axis=1)
    return [*found, *(side[:, :0] for _ in range(number - len(found)))]


def _held(layer: LayerUpdates, rank: int) -> Array:
    """The share of the weights whose clients have each component [r]; exactly 1 where all have."""
    whole = sum(layer.weights)
    ranks = [b.shape[1] for b in layer.b]
    return np.array([sum(w for w, r in zip(layer.weights, ranks, strict=True) if r > i) / whole for i in range(rank)])


def _change(weights: Sequence[float], d: list[Array], e: list[Array], l0: Array, r0: Array) -> Array:
    """sum w_k (B_k A_k - B A) = sum w_k (D_k A_k + B E_k), B and A cut to the client's rank."""
    total = np.zeros((len(l0), len(r0)))
    for weight, d_k, e_k in zip(weights, d, e, strict=True):
        rank = d_k.shape[1]
        total += weight * (d_k @ (r0[:, :rank] + e_k).T + l0[:, :rank] @ e_k.T)
    return total


def _averaging(weights: Sequence[float], d: list[Array], e: list[Array], l0: Array, r0: Array, held: Array) -> Array:
    """sum w_k (B_k - mean B)(A_k - mean A), which is M - mean(B) mean(A)."""
    left, right = (_deviations(weights, side, base, held) for side, base in ((d, l0), (e, r0)))
    total = np.zeros((len(l0), len(r0)))
    for weight, l_k, r_k in zip(weights, left, right, strict=True):
        total += weight * (l_k @ r_k.T)
    return total


def _deviations(weights: Sequence[float], learned: list[Array], base: Array, held: Array) -> list[Array]:
    """Each client's factor, padded with zeros, less their mean."""
    mean = np.zeros_like(base)
    for weight, block in zip(weights, learned, strict=True):
        mean[:, : block.shape[1]] += weight * block
    deviations = []
    for block in learned:
        rank = block.shape[1]
        deviation = base * ((np.arange(base.shape[1]) < rank) - held) - mean
        deviation[:, :rank] += block
        deviations.append(deviation)
    return deviations


def _singular_values(core: Array) -> Array:
    """Of a core, falling; rows and columns of zeros, of which a triangle has many, have no part in them."""
    filled = core[core.any(axis=1)][:, core.any(axis=0)]
    return np.linalg.svd(filled, compute_uv=False).astype(np.float64) if filled.size else np.zeros(0)
