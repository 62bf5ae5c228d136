"""The benchmarks of aggregation, of a local epoch and of FeDeRA's start, small and once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from perf import bench_d_aggregation, bench_e_epoch, bench_g_svd
from perf.base import Benchmark, Pace


@pytest.mark.parametrize(
    "benchmark", [bench_d_aggregation.BENCHMARK, bench_e_epoch.BENCHMARK, bench_g_svd.BENCHMARK], ids="deg"
)
def test_it_measures_what_has_a_limit(benchmark: Benchmark, tmp_path: Path) -> None:
    told: list[str] = []
    before = torch.are_deterministic_algorithms_enabled()
    result = benchmark.run(Pace(tmp_path, told.append, repetitions=1, warm_ups=0, quick=True))
    assert result.letter == benchmark.letter
    assert any(figure.reached is not None for figure in result.figures)
    assert all(value > 0 for figure in result.figures for value in figure.values)
    assert told
    assert torch.are_deterministic_algorithms_enabled() == before, "the next benchmark would be another one"


EQUAL = dict.fromkeys(("ours, fixed", "bare loop, fixed", "ours, grouped", "bare loop, grouped"), (2.0, 2.0))


@pytest.mark.parametrize(
    ("other", "ours", "near", "far"),
    [
        ("bare loop, fixed", "ours, fixed", 2.0001, 2.1),
        ("bare loop, grouped", "ours, grouped", 2.0001, 2.1),
        ("Trainer, fixed", "ours, fixed", 2.03, 2.1),
    ],
)
def test_all_have_to_learn_the_same_in_every_turn(other: str, ours: str, near: float, far: float) -> None:
    losses = {**EQUAL, "Trainer, fixed": (2.0, 2.0)}
    bench_e_epoch.see_equal_work({**losses, other: (near, 2.0)})
    with pytest.raises(RuntimeError, match=rf"loss of {ours} is 2\.0, that of {other} {far}; the work is not equal"):
        bench_e_epoch.see_equal_work({**losses, other: (far, 2.0)})


def test_the_made_weights_fall_off_like_real_ones() -> None:
    (weight,) = bench_g_svd.made(96, 1).values()
    values = torch.linalg.svdvals(weight)
    assert values[0] > 3 * values[16] > 6 * values[80] > 0
