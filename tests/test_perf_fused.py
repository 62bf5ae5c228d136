"""The benchmark of clients that are trained as one batch, small and once."""

from pathlib import Path

import numpy as np
import pytest
import torch
from perf import bench_j_fused
from perf.base import Pace
from perf.epoch_loops import TINY, made

from harness.learning.data.encode import read_shard


def test_both_ways_are_timed_and_learn_the_same(tmp_path: Path) -> None:
    told: list[str] = []
    before = torch.are_deterministic_algorithms_enabled()
    result = bench_j_fused.BENCHMARK.run(Pace(tmp_path, told.append, repetitions=1, warm_ups=0, quick=True))
    figures = {figure.name: figure for figure in result.figures}
    assert figures["one small step: updates apart, over their change"].reached
    assert figures["one small step: one by one over together"].median > 0
    assert len(told) == 2
    assert torch.are_deterministic_algorithms_enabled() == before


@pytest.mark.parametrize("workload", bench_j_fused.WORKLOADS)
def test_the_longest_rows_of_clients_differ_so_that_padding_has_to_be_paid(workload: str, tmp_path: Path) -> None:
    clients, size = bench_j_fused.WORKLOADS[workload]
    files = made(tmp_path, TINY)._replace(size=size)  # the model does not matter here
    shards = bench_j_fused.shards_of(files, clients)
    longest = {int(np.diff(read_shard(shard).offsets).max()) for shard in shards}
    assert len(longest) > clients / 3
