"""The benchmarks of starts and of reports, small and once: all of their figures come about."""

from __future__ import annotations

from pathlib import Path

from perf import bench_h_report, bench_i_start
from perf.base import Pace


def quick(folder: Path) -> Pace:
    return Pace(folder, lambda _: None, repetitions=1, warm_ups=0, quick=True)


def test_an_agent_is_ready_without_torch(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in bench_i_start.run(quick(tmp_path)).figures}
    assert figures["processes of a ready agent that hold torch"].values == (0,)
    assert all(len(figure.values) == 1 for figure in figures.values())
    assert figures["memory of its trainer, a null trainer"].median > 1


def test_a_report_of_both_kinds_of_runs_is_written_and_weighed(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in bench_h_report.run(quick(tmp_path)).figures}
    assert 4.5 < figures["its page, runs of boards"].median < 8
    assert figures["report of virtual runs"].median > 0
    assert len(list((tmp_path / "boards").iterdir())) == 10
