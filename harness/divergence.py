"""How far clients' classes are from each other and from the whole: Jensen-Shannon divergence in base 2; pure.

FeDeRA's A.4 prints half of Jeffreys' divergence, which has no upper bound and is infinite where a client lacks a class.
Jensen-Shannon is in [0, 1]: 0 for equal shares, 1 for clients that have no class in common.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Matrix = NDArray[np.float64]


def class_counts(labels: Sequence[int], parts: Sequence[Counts], classes: int) -> Counts:
    """Samples of each class at each client, [clients, classes]; ``parts`` are sample indices by client."""
    held = np.asarray(labels, dtype=np.int64)
    return np.stack([np.bincount(held[part], minlength=classes) for part in parts])


def between_clients(counts: Counts) -> Matrix:
    """Divergence of each pair of clients, [clients, clients]: symmetric, 0 on the diagonal."""
    shares = _shares(counts)
    return np.stack([_jensen_shannon(shares, one) for one in shares])


def against_the_whole(counts: Counts) -> Matrix:
    """Divergence of each client from all samples together, [clients]."""
    return _jensen_shannon(_shares(counts), _shares(counts.sum(axis=0, keepdims=True))[0])


def mean_of_pairs(divergence: Matrix) -> float:
    """The mean over different clients; 0 where there is one client."""
    clients = len(divergence)
    return float(divergence[np.triu_indices(clients, k=1)].mean()) if clients > 1 else 0.0


def _shares(counts: Counts) -> Matrix:
    shares: Matrix = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _jensen_shannon(many: Matrix, one: Matrix) -> Matrix:
    """Of each row of ``many`` and ``one``. Rounding may leave a trifle outside [0, 1]: it is cut off."""
    middle = (many + one) / 2
    divergence: Matrix = _entropy(middle) - (_entropy(many) + _entropy(one)) / 2
    return np.clip(divergence, 0.0, 1.0)


def _entropy(shares: Matrix) -> Matrix:
    """Shannon's entropy of the last axis, in bits; a share of 0 has none."""
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy: Matrix = -(shares * logs).sum(axis=-1)
    return entropy
