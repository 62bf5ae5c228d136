"""The principal factors of a weight, FeDeRA's initialisation (FeDeRA, eq. 14-18), exact to float64's rounding.

Of a large weight W only the leading eigenvectors of W^T W are made; a small one is decomposed in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from harness.errors import FederaBenchError, UsageError
from harness.learning.methods.leading import leading_eigenvectors, one_thread_each

# The Gram matrix squares the spectrum: below this ratio of eigenvalues (1e-4 of singular values) float64 leaves fewer
# than eight digits, and the weight itself is decomposed.
GRAM_RATIO = 1e-8
LEAST_COLUMNS = 256
"""Below so many, eigenvectors that are not wanted take no time worth saving."""


def principal_factors(weight: Tensor, rank: int, scale: float, name: str = "weight") -> tuple[Tensor, Tensor]:
    """B0 [d, rank] and A0 [rank, k] of ``weight`` [d, k] = U S V^T, float32; scale B0 A0 is its best rank-r part.

    B0 = U_r sqrt(S_r / scale), A0 = sqrt(S_r / scale) V_r^T. Eq. 16 as printed takes columns of a V whose rows are
    the vectors: rows are meant. Signs are not determined by the SVD: the largest |u| entry of each direction is made
    positive, so that equal weights give equal factors.

    Raises:
        UsageError: ``rank`` is above min(d, k); ``name`` says of which layer.
        FederaBenchError: a weight is not finite.
    """
    if rank > min(weight.shape):
        size = " x ".join(str(side) for side in weight.shape)
        raise UsageError(f"rank {rank} is above what {name} ({size}) has; choose at most {min(weight.shape)}")
    if not torch.isfinite(weight).all():
        raise FederaBenchError(
            f"the model's weights are not finite: {name} has NaN or infinity; use another model, or a whole copy of it"
        )
    u, s, vh = _principal_directions(weight.detach().to(torch.float64), rank)
    pivots = u.gather(0, u.abs().argmax(dim=0, keepdim=True)).squeeze(0)
    root = (s / scale).sqrt() * torch.where(pivots < 0, -1.0, 1.0)
    b0, a0 = u * root, root[:, None] * vh
    return b0.to(torch.float32).contiguous(), a0.to(torch.float32).contiguous()


def factors_of_all(weights: Mapping[str, Tensor], rank: int, scale: float) -> dict[str, tuple[Tensor, Tensor]]:
    """:func:`principal_factors` of each weight, by name: several at once, each on a thread of its own.

    The threads of one decomposition wait for each other longer than they work. The bits are those of one by one.

    Raises:
        UsageError: ``rank`` is above what a layer has.
        FederaBenchError: a weight is not finite.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # of the threads that begin here, too
    try:
        with one_thread_each(), ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            made = pool.map(lambda name: principal_factors(weights[name], rank, scale, name), weights)
            return dict(zip(weights, made, strict=True))
    finally:
        torch.set_num_threads(threads)


def warm_up() -> None:
    """Decompose something: the first time in a process takes up to a second more, which is no method's."""
    with one_thread_each():
        principal_factors(torch.eye(LEAST_COLUMNS), 1, 1.0)


def _principal_directions(weight: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """U_r [d, r], S_r [r] falling, V_r^T [r, k] of a float64 weight."""
    if weight.shape[0] < weight.shape[1]:
        u, s, vh = _principal_directions(weight.T, rank)
        return vh.T, s, u.T
    # The eigenvectors of W^T W are V, its eigenvalues S squared, in rising order. Of a large weight they take a third
    # of what the SVD does, since those that are not wanted are never made.
    gram = weight.T @ weight
    large = weight.shape[1] >= LEAST_COLUMNS
    squares, v = leading_eigenvectors(gram, rank) if large else torch.linalg.eigh(gram)
    if squares[-rank] > GRAM_RATIO * squares[-1]:
        v_r = v[:, -rank:].flip(1)
        scaled_u = weight @ v_r
        s = scaled_u.norm(dim=0)
        return scaled_u / s, s, v_r.T
    u, s, vh = torch.linalg.svd(weight, full_matrices=False)
    return u[:, :rank], s[:rank], vh[:rank]
