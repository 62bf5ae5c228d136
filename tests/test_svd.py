"""The principal factors are those of a float64 SVD, whatever the shape, the spectrum and the scale."""

import pytest
import torch

from harness.errors import UsageError
from harness.learning.methods.svd import principal_factors


def random_weight(d: int, k: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(d, k, generator=torch.Generator().manual_seed(seed)) * 0.05


def reference(weight: torch.Tensor, rank: int, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    u, s, vh = torch.linalg.svd(weight.double(), full_matrices=False)
    signs = torch.stack([u[u[:, i].abs().argmax(), i].sign() for i in range(rank)])
    root = (s[:rank] / scale).sqrt()
    return u[:, :rank] * root * signs, (root * signs)[:, None] * vh[:rank]


def relative_error(got: torch.Tensor, wanted: torch.Tensor) -> float:
    return float((got.double() - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("shape", [(64, 64), (96, 40), (40, 96)])
@pytest.mark.parametrize("scale", [1.0, 0.5, 16.0])
def test_factors_and_residual_are_those_of_a_float64_svd(shape: tuple[int, int], scale: float) -> None:
    weight = random_weight(*shape)
    b0, a0 = principal_factors(weight, 8, scale)
    b_ref, a_ref = reference(weight, 8, scale)
    assert relative_error(b0, b_ref) < 1e-5
    assert relative_error(a0, a_ref) < 1e-5
    residual = weight.double() - scale * b_ref @ a_ref
    assert relative_error(weight - scale * b0 @ a0, residual) < 1e-5
    assert b0.shape == (shape[0], 8)
    assert a0.shape == (8, shape[1])


def test_a_steep_spectrum_keeps_its_small_directions() -> None:
    u = torch.linalg.qr(random_weight(48, 48, 1).double())[0]
    v = torch.linalg.qr(random_weight(48, 48, 2).double())[0]
    weight = (u * torch.logspace(0, -12, 48, dtype=torch.float64)) @ v.T  # the 24th is 1e-6 of the first
    b0, a0 = principal_factors(weight, 24, 1.0)
    b_ref, a_ref = reference(weight, 24, 1.0)
    errors = [relative_error(b0[:, i], b_ref[:, i]) + relative_error(a0[i], a_ref[i]) for i in range(24)]
    assert max(errors) < 1e-5


def test_the_largest_entry_of_each_left_direction_is_positive() -> None:
    b0, _ = principal_factors(-random_weight(64, 32), 16, 1.0)
    assert all(column[column.abs().argmax()] > 0 for column in b0.T)


def test_a_zero_weight_has_zero_factors() -> None:
    b0, a0 = principal_factors(torch.zeros(6, 5), 3, 1.0)
    assert not b0.any()
    assert not a0.any()


def test_a_rank_above_the_matrix_names_the_layer() -> None:
    with pytest.raises(UsageError, match=r"rank 33 is above what layer\.0\.query \(64 x 32\) has"):
        principal_factors(random_weight(64, 32), 33, 1.0, "layer.0.query")
