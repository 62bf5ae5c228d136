"""The best low-rank factors of a sum of products, without the dense matrix where that is quicker. Pure; numpy, float64.

M = sum_i w_i B_i A_i is L R, with L = [sqrt(w_i) B_i] and R = [sqrt(w_i) A_i] stacked. With L = Q_L T_L and
R^T = Q_R T_R the SVD of the small T_L T_R^T is that of M, up to the two orthonormal bases. Rank r of it is the best
approximation of M there is (Eckart and Young, 1936). Equal inputs give equal bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from harness.learning.aggregation.layer import Array
from harness.profiles.methods import Split

Term = tuple[float, Array, Array]
"""w, B [d, n], A [n, k]: a part w B A of a sum; w may be negative."""
Route = Literal["auto", "qr", "dense"]

# From this width of the stack on, as a share of min(d, k), two QRs and a core take as long as the dense SVD.
DENSE_SHARE = 0.75


@dataclass(frozen=True)
class Decomposition:
    """M = U S V^T: ``u`` [d, n], ``s`` [n] falling, ``vt`` [n, k]. Singular values from ``rank`` on are rounding."""

    u: Array
    s: Array
    vt: Array
    rank: int


def stacked(terms: Sequence[Term]) -> tuple[Array, Array]:
    """L [d, n] and R [n, k] of a sum of products, n the sum of their ranks: the sum is L R."""
    roots = [abs(weight) ** 0.5 for weight, _, _ in terms]
    left = [root * b for root, (_, b, _) in zip(roots, terms, strict=True)]
    right = [(root if weight >= 0 else -root) * a for root, (weight, _, a) in zip(roots, terms, strict=True)]
    # One layout in memory whatever that of the parts was: BLAS may round another layout in another way.
    return np.ascontiguousarray(np.hstack(left)), np.ascontiguousarray(np.vstack(right))


def as_product(matrix: Array) -> Term:
    """A dense [d, k] as a product with the identity of its shorter side."""
    d, k = matrix.shape
    return (1.0, np.eye(d), matrix) if d <= k else (1.0, matrix, np.eye(k))


def decomposed(terms: Sequence[Term], route: Route = "auto") -> Decomposition:
    """The SVD of sum w B A, without the directions that a stack of this width cannot have.

    Signs, which an SVD leaves open, are those of :mod:`harness.learning.methods.svd`: the largest |u| entry of each
    direction is positive. ``auto`` goes by way of QR where the stack is narrow against the matrix.
    """
    left, right = stacked(terms)
    u, s, vt = _by_dense(left, right) if _dense(left, right, route) else _by_qr(left, right)
    signs = np.where(np.take_along_axis(u, np.abs(u).argmax(axis=0)[None], axis=0)[0] < 0, -1.0, 1.0)
    return Decomposition(u * signs, s, signs[:, None] * vt, rank=int((s > _rounding(left, right)).sum()))


def best_factors(parts: Decomposition, rank: int, split: Split, old_a: Array) -> tuple[Array, Array]:
    """B [d, rank] and A [rank, k] whose product is M's best approximation of that rank.

    ``split``: B = U sqrt(S), A = sqrt(S) V^T (``balanced``), B = U S, A = V^T (``into-b``), or B = U, A = S V^T
    (``into-a``). A component of no singular value would have no gradient ever again if both its factors were zero, and
    its direction is not M's: its row is that of ``old_a`` [rank, k], its column of B zero.
    """
    kept = min(rank, parts.rank)
    s = parts.s[:kept]
    into_b, into_a = {"balanced": (s**0.5, s**0.5), "into-b": (s, s**0), "into-a": (s**0, s)}[split]
    b, a = np.zeros((len(parts.u), rank)), old_a.astype(np.float64)
    b[:, :kept] = parts.u[:, :kept] * into_b
    a[:kept] = into_a[:, None] * parts.vt[:kept]
    return b, a


def leftover(parts: Decomposition, rank: int) -> tuple[Array, Array]:
    """B [d, n] and A [n, k] of what the best approximation of that rank leaves of M; n is 0 where it leaves nothing."""
    kept = slice(min(rank, parts.rank), parts.rank)
    return parts.u[:, kept] * parts.s[kept], parts.vt[kept]


def product_norm(b: Array, a: Array) -> float:
    """||B A||_F of B [d, n], A [n, k]."""
    return float(np.linalg.norm(triangle(b) @ triangle(a.T).T))


def triangle(side: Array) -> Array:
    """The columns of ``side`` [d, n] in some orthonormal basis of theirs: [min(d, n), n], inner products unchanged.

    The first columns have zeros from their number on.
    """
    return side if side.shape[1] >= side.shape[0] else cast(Array, np.linalg.qr(side, mode="r"))


def _dense(left: Array, right: Array, route: Route) -> bool:
    too_wide: bool = left.shape[1] > DENSE_SHARE * min(left.shape[0], right.shape[1])
    return too_wide if route == "auto" else route == "dense"


def _by_dense(left: Array, right: Array) -> tuple[Array, Array, Array]:
    u, s, vt = np.linalg.svd(left @ right, full_matrices=False)
    return u, s, vt


def _by_qr(left: Array, right: Array) -> tuple[Array, Array, Array]:
    q_left, t_left = np.linalg.qr(left)
    q_right, t_right = np.linalg.qr(right.T)
    u, s, vt = np.linalg.svd(t_left @ t_right.T, full_matrices=False)
    return q_left @ u, s, vt @ q_right.T


def _rounding(left: Array, right: Array) -> float:
    """What float64 leaves open in a singular value of L R: its parts may be larger than their sum."""
    size = float(np.linalg.norm(left, axis=0) @ np.linalg.norm(right, axis=1))
    return float(np.finfo(np.float64).eps * max(left.shape[0], right.shape[1]) * size)
