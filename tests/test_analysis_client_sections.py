"""The part of a report on the clients' data."""

from __future__ import annotations

from run_folders import demo, partition, run

from analysis.client_sections import client_blocks
from analysis.parts import NO_LINKS, Charts, Link, Links, Special


def test_a_recorded_partition_has_its_two_maps_and_the_files_of_its_counts() -> None:
    runs = [demo("federa", rounds=2, holding=partition(4, 3))]
    blocks = list(client_blocks(runs, Links(tables={"partition": (Link("CSV", "partition.csv"),)})))
    (charts,) = (block for block in blocks if isinstance(block, Charts))
    assert len(charts.charts) == 2
    assert charts.charts[1].title.endswith("numbers count samples")
    assert isinstance(blocks[-1], Special)


def test_runs_without_a_partition_have_none() -> None:
    assert list(client_blocks([run()], NO_LINKS)) == []
