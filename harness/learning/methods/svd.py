"""The principal factors of a weight, FeDeRA's initialisation (FeDeRA, eq. 14-18). Full decompositions only."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.errors import UsageError

# The Gram matrix squares the spectrum: below this ratio of eigenvalues (1e-4 of singular values) float64 leaves fewer
# than eight digits, and the weight itself is decomposed.
GRAM_RATIO = 1e-8


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


def warm_up() -> None:
    """Decompose something: the first time in a process takes up to a second more, which is no method's."""
    principal_factors(torch.eye(128), 1, 1.0)


def _principal_directions(weight: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """U_r [d, r], S_r [r] falling, V_r^T [r, k] of a float64 weight."""
    if weight.shape[0] < weight.shape[1]:
        u, s, vh = _principal_directions(weight.T, rank)
        return vh.T, s, u.T
    # Twice as fast as the SVD: the eigenvectors of W^T W are V, its eigenvalues S squared, in rising order.
    squares, v = torch.linalg.eigh(weight.T @ weight)
    if squares[-rank] > GRAM_RATIO * squares[-1]:
        v_r = v[:, -rank:].flip(1)
        scaled_u = weight @ v_r
        s = scaled_u.norm(dim=0)
        return scaled_u / s, s, v_r.T
    u, s, vh = torch.linalg.svd(weight, full_matrices=False)
    return u[:, :rank], s[:rank], vh[:rank]
