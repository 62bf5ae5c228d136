"""The principal factors of a weight, FeDeRA's initialisation (FeDeRA, eq. 14-18). Full decompositions only."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from harness.errors import UsageError

# The Gram matrix squares the spectrum: below this ratio of eigenvalues (1e-4 of singular values) float64 leaves fewer
# than eight digits, and the weight itself is decomposed.
GRAM_RATIO = 1e-8
LEAST_COLUMNS = 256
"""Below so many a decomposition in float64 takes no time worth saving."""
BESIDE = 8
"""Directions that are refined beside those wanted, so that the others are well apart from these."""
CONVERGED = 1e-14
"""Of ||W^T W v - s^2 v|| over the largest s^2: as near as float64 comes with its own eigenvectors."""
MOST_REFINEMENTS = 4


def principal_factors(weight: Tensor, rank: int, scale: float, name: str = "weight") -> tuple[Tensor, Tensor]:
    """B0 [d, rank] and A0 [rank, k] of ``weight`` [d, k] = U S V^T, float32; scale B0 A0 is its best rank-r part.

    B0 = U_r sqrt(S_r / scale), A0 = sqrt(S_r / scale) V_r^T. Eq. 16 as printed takes columns of a V whose rows are
    the vectors: rows are meant. Signs are not determined by the SVD: the largest |u| entry of each direction is made
    positive, so that equal weights give equal factors.

    Raises:
        UsageError: ``rank`` is above min(d, k); ``name`` says of which layer.
    """
    if rank > min(weight.shape):
        size = " x ".join(str(side) for side in weight.shape)
        raise UsageError(f"rank {rank} is above what {name} ({size}) has; choose at most {min(weight.shape)}")
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
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # of the threads that begin here, too
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            made = pool.map(lambda name: principal_factors(weights[name], rank, scale, name), weights)
            return dict(zip(weights, made, strict=True))
    finally:
        torch.set_num_threads(threads)


def warm_up() -> None:
    """Decompose something: the first time in a process takes up to a second more, which is no method's."""
    principal_factors(torch.eye(128), 1, 1.0)


def _principal_directions(weight: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """U_r [d, r], S_r [r] falling, V_r^T [r, k] of a float64 weight."""
    if weight.shape[0] < weight.shape[1]:
        u, s, vh = _principal_directions(weight.T, rank)
        return vh.T, s, u.T
    refined = _refined(weight, rank) if weight.shape[1] >= max(LEAST_COLUMNS, rank + BESIDE + 1) else None
    if refined is not None:
        return refined
    # Twice as fast as the SVD: the eigenvectors of W^T W are V, its eigenvalues S squared, in rising order.
    squares, v = torch.linalg.eigh(weight.T @ weight)
    if squares[-rank] > GRAM_RATIO * squares[-1]:
        v_r = v[:, -rank:].flip(1)
        scaled_u = weight @ v_r
        s = scaled_u.norm(dim=0)
        return scaled_u / s, s, v_r.T
    u, s, vh = torch.linalg.svd(weight, full_matrices=False)
    return u[:, :rank], s[:rank], vh[:rank]


def _refined(weight: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor] | None:
    """The same of a float32 decomposition of all of W^T W, made exact: in half the time of one in float64.

    Rayleigh and Ritz's values in the span of the leading vectors, then of each vector what the others have of its
    residual R, over the distance of their eigenvalues (first-order perturbation): the error is multiplied by that of
    the others, about 1e-6, each time. None where that does not come to an end, as in a spectrum without gaps or steep.
    """
    single = weight.to(torch.float32)
    squares, vectors = torch.linalg.eigh(single.T @ single)
    leading, others = vectors[:, -rank - BESIDE :].to(torch.float64), vectors[:, : -rank - BESIDE]
    apart = squares[: -rank - BESIDE, None].to(torch.float64)
    for _ in range(MOST_REFINEMENTS):
        v, image, found = _ritz(weight, leading)
        residual = weight.T @ image - v * found
        if residual[:, :rank].norm(dim=0).max() <= CONVERGED * found[0]:
            if found[rank - 1] <= GRAM_RATIO * found[0]:
                return None
            s = image[:, :rank].norm(dim=0)
            return image[:, :rank] / s, s, v[:, :rank].T
        share = (others.T @ residual.to(torch.float32)) / (found - apart).to(torch.float32)
        leading = v + (others @ share).to(torch.float64)
    return None


def _ritz(weight: Tensor, span: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of W^T W within a span [k, n]: its vectors V [k, n], W V [d, n], its values [n] falling."""
    basis = torch.linalg.qr(span)[0]
    image = weight @ basis
    values, turn = torch.linalg.eigh(image.T @ image)
    turn = turn.flip(1)
    return basis @ turn, image @ turn, values.flip(0)
