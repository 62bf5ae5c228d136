"""The benchmark of clients that are trained as one batch, small and once."""

from pathlib import Path

import torch
from perf import bench_j_fused
from perf.base import Pace


def test_both_ways_are_timed_and_learn_the_same(tmp_path: Path) -> None:
    told: list[str] = []
    before = torch.are_deterministic_algorithms_enabled()
    result = bench_j_fused.BENCHMARK.run(Pace(tmp_path, told.append, repetitions=1, warm_ups=0, quick=True))
    figures = {figure.name: figure for figure in result.figures}
    assert figures["one small step: updates apart, over their change"].reached
    assert figures["one small step: one by one over together"].median > 0
    assert len(told) == 2
    assert torch.are_deterministic_algorithms_enabled() == before
