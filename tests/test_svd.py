"""The principal factors are those of a float64 SVD, whatever the shape, the spectrum and the scale."""

import pytest
import torch

from harness.errors import FederaBenchError, UsageError
from harness.learning.methods.leading import leading_eigenvectors
from harness.learning.methods.svd import factors_of_all, principal_factors


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


def test_several_weights_at_once_have_the_bits_of_one_by_one() -> None:
    weights = {f"layer.{place}": random_weight(96, 64, place) for place in range(5)}
    threads = torch.get_num_threads()
    made = factors_of_all(weights, 8, 2.0)
    assert torch.get_num_threads() == threads
    assert list(made) == list(weights)
    for name, weight in weights.items():
        for got, wanted in zip(made[name], principal_factors(weight, 8, 2.0, name), strict=True):
            assert torch.equal(got, wanted)


def test_a_rank_above_one_of_several_weights_names_its_layer() -> None:
    weights = {"wide": random_weight(64, 64), "narrow": random_weight(64, 16)}
    with pytest.raises(UsageError, match=r"rank 32 is above what narrow \(64 x 16\) has"):
        factors_of_all(weights, 32, 1.0)


def of_spectrum(spectrum: torch.Tensor) -> torch.Tensor:
    size = len(spectrum)
    u, v = (torch.linalg.qr(random_weight(size, size, seed).double())[0] for seed in (1, 2))
    return (u * spectrum) @ v.T


@pytest.mark.parametrize("shape", [(300, 300), (400, 300), (300, 400)])
def test_a_large_weight_is_decomposed_as_exactly(shape: tuple[int, int]) -> None:
    weight = random_weight(*shape)
    b0, a0 = principal_factors(weight, 8, 0.5)
    b_ref, a_ref = reference(weight, 8, 0.5)
    assert relative_error(b0, b_ref) < 1e-7
    assert relative_error(a0, a_ref) < 1e-7


def test_leading_eigenvectors_are_those_of_a_full_decomposition() -> None:
    weight = of_spectrum(torch.linspace(3, 0.1, 320, dtype=torch.float64))
    gram = weight.T @ weight
    squares, wanted = (part[..., -16:] for part in torch.linalg.eigh(gram))
    values, vectors = leading_eigenvectors(gram.clone(), 16)
    assert float((values / squares - 1).abs().max()) < 1e-13
    assert float((vectors * (vectors * wanted).sum(dim=0).sign() - wanted).abs().max()) < 1e-11


@pytest.mark.parametrize("columns", [64, 300])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_not_finite_is_refused(value: float, columns: int) -> None:
    weight = random_weight(300, columns)
    weight[3, 4] = value
    with pytest.raises(FederaBenchError, match=r"the model's weights are not finite: layer\.0\.query has NaN"):
        principal_factors(weight, 8, 1.0, "layer.0.query")


@pytest.mark.parametrize(
    "spectrum",
    [
        torch.logspace(0, -12, 300, dtype=torch.float64).clamp(max=1e-6).index_fill(0, torch.tensor([0]), 1.0),
        torch.zeros(300, dtype=torch.float64),
    ],
    ids=["steep", "nothing"],
)
def test_a_large_weight_keeps_what_its_gram_matrix_loses(spectrum: torch.Tensor) -> None:
    weight = of_spectrum(spectrum)
    b0, a0 = principal_factors(weight, 8, 1.0)
    u, s, vh = torch.linalg.svd(weight)
    best = (u[:, :8] * s[:8]) @ vh[:8]
    assert float((b0.double() @ a0.double() - best).norm()) <= 1e-6 * float(best.norm())


def test_directions_that_are_equally_strong_are_any_of_them() -> None:
    weight = of_spectrum(torch.ones(300, dtype=torch.float64))
    b0, a0 = principal_factors(weight, 8, 1.0)
    assert torch.allclose(weight @ a0.double().T, b0.double(), atol=1e-6)
    assert torch.allclose(b0.T @ b0, torch.eye(8), atol=1e-6)


def test_the_bits_of_large_weights_do_not_depend_on_how_many_threads_there_are() -> None:
    weights = {f"layer.{place}": random_weight(300, 280, place) for place in range(3)}
    threads, made = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            made.append(factors_of_all(weights, 8, 1.0))
    finally:
        torch.set_num_threads(threads)
    for one, two in zip(*(factors.values() for factors in made), strict=True):
        assert torch.equal(one[0], two[0])
        assert torch.equal(one[1], two[1])
