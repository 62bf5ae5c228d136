"""FeDeRA's initialisation of RoBERTa-base's 24 matrices, over torch.linalg.svd one by one."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from perf.base import Benchmark, Figure, Pace, Result, ratios
from torch import Tensor

from harness.learning.methods.leading import leading_eigenvectors, one_thread_each
from harness.learning.methods.svd import factors_of_all, warm_up

WIDTH, MATRICES, RANK, SCALE = 768, 24, 32, 1.0
QUICK_WIDTH, QUICK_MATRICES = 96, 2
EXACT = 1e-6
DOUBLE = 4
"""Matrices that are decomposed in float64, which takes long and has no limit; and whose error is seen."""


def run(pace: Pace) -> Result:
    """All matrices in turns, once each way; some of them in float64."""
    weights = made(*((QUICK_WIDTH, QUICK_MATRICES) if pace.quick else (WIDTH, MATRICES)))
    some = dict(list(weights.items())[:DOUBLE])
    warm_up()
    seconds = pace.side_by_side(
        {
            "FeDeRA's initialisation": lambda: _s(lambda: factors_of_all(weights, RANK, SCALE)),
            "torch.linalg.svd, float32": lambda: _s(lambda: _decomposed(weights, torch.float32)),
            f"torch.linalg.svd, float64, {len(some)} of them": lambda: _s(lambda: _decomposed(some, torch.float64)),
        }
    )
    ours, single, double = seconds.values()
    figures = (
        Figure(name="over float32", unit="", values=ratios(ours, single), at_most=0.5),
        Figure(name="over float64, a matrix", unit="", values=_of_one(ours, len(weights), double, len(some))),
        Figure(name=f"greatest relative error of {len(some)}", unit="", values=(max(errors(some)),), at_most=EXACT),
        *(Figure(name=name, unit="s", values=tuple(values)) for name, values in seconds.items()),
    )
    missed = any(figure.reached is False for figure in figures)
    return Result(letter="g", figures=figures, remark=_remark(), profile=_profile(weights) if missed else "")


def made(width: int, count: int) -> dict[str, Tensor]:
    """Weights like those of attention: some strong directions before a long tail that falls to almost nothing."""
    source = torch.Generator().manual_seed(0)
    places = torch.arange(width, dtype=torch.float64) / width
    spectrum = 3.0 * (1 - places) ** 1.5 + 8.0 * torch.exp(-50.0 * places) + 0.01
    return {f"layer.{place}": _of_spectrum(spectrum, source) for place in range(count)}


def errors(weights: dict[str, Tensor]) -> list[float]:
    """Of each weight: what scale B0 A0 is off from the best part of that rank, relative to it (Frobenius norms)."""
    found = []
    for name, (b0, a0) in factors_of_all(weights, RANK, SCALE).items():
        u, s, vh = torch.linalg.svd(weights[name].double(), full_matrices=False)
        best = (u[:, :RANK] * s[:RANK]) @ vh[:RANK]
        found.append(float((SCALE * b0.double() @ a0.double() - best).norm() / best.norm()))
    return found


def _of_one(over: list[float], count: int, under: list[float], other_count: int) -> tuple[float, ...]:
    """Ratios of what one matrix takes, of values for ``count`` and for ``other_count`` of them."""
    return ratios([value / count for value in over], [value / other_count for value in under])


def _of_spectrum(spectrum: Tensor, source: torch.Generator) -> Tensor:
    drawn = torch.randn(2, len(spectrum), len(spectrum), generator=source, dtype=torch.float64)
    u, v = torch.linalg.qr(drawn)[0]
    weight: Tensor = ((u * spectrum) @ v.T).to(torch.float32)
    return weight


def _decomposed(weights: dict[str, Tensor], dtype: torch.dtype) -> None:
    for weight in weights.values():
        torch.linalg.svd(weight.to(dtype), full_matrices=False)


def _s(work: Callable[[], object]) -> float:
    begun_s = time.perf_counter()
    work()
    return time.perf_counter() - begun_s


def _remark() -> str:
    threads = torch.get_num_threads()
    return (
        f"{threads} threads: torch.linalg.svd has all of them for each matrix, ours one for each of several matrices."
    )


def _profile(weights: dict[str, Tensor]) -> str:
    """What bounds it: the parts of one matrix's decomposition, on one thread."""
    weight, threads = next(iter(weights.values())).double(), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        gram = weight.T @ weight
        product, all_vectors = _s(lambda: weight.T @ weight), _s(lambda: torch.linalg.eigh(gram))
        with one_thread_each():
            leading = _s(lambda: leading_eigenvectors(gram.clone(), RANK))
        single = _s(lambda: torch.linalg.svd(weight.float()))
    finally:
        torch.set_num_threads(threads)
    return (
        f"One matrix on one thread: W^T W {product:.3f} s, its {RANK} leading eigenvectors {leading:.3f} s (all of "
        f"them {all_vectors:.3f} s); an SVD in float32 {single:.3f} s."
    )


BENCHMARK = Benchmark(
    letter="g",
    title="FeDeRA's initialisation",
    what=(
        "The principal factors of rank 32 of 24 matrices of 768 x 768, as many as RoBERTa-base's query and value "
        "layers, against a full torch.linalg.svd of one after another; and the greatest error of the first "
        f"{DOUBLE} of them against one in float64."
    ),
    run=run,
)
