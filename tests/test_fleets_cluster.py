"""Virtual fleets over a real cluster of two nodes: bits, records and endings are those of a virtual fleet here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from benchtools import TINY, bench, only_run, until
from cluster_stage import Nodes, nodes

from harness.fleets.cluster import ray_workforce
from harness.fleets.cluster_ray import Cluster
from harness.fleets.workforce import Ended, Work, Workforce
from harness.launch import experiment_of
from harness.learning.workload import Sources, Workload, prepare
from harness.profiles import Experiment
from harness.store import RunFolder

NULL = ("train.trainer='null'", "train.null_noise=0.1", "train.null_state_bytes=400000")
MEASURED = ("train_cpu_s", "peak_rss_bytes", "timeline")
"""What is this machine's even where a table says what training takes; a timeline begins after aggregation."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    with nodes(1, 1) as found:
        yield found


def works(workload: Workload, folder: Path, count: int) -> list[Work]:
    return [
        Work(
            number=number,
            round=1,
            client=number % len(workload.shards),
            seed=number,
            state=str(workload.initial_state),
            shard=str(workload.shards[number % len(workload.shards)]),
            update=str(folder / f"update-{number}"),
        )
        for number in range(count)
    ]


def workload_of(experiment: Experiment, folder: Path) -> Workload:
    return prepare(experiment, "federa", Sources(), folder / "work", lambda line: None)


def heard(force: Workforce, count: int) -> list[Ended]:
    """So many that ended, or more."""
    found: list[Ended] = []
    while len(found) < count:
        found += force.ended()
    return found


def records(folder: RunFolder) -> list[dict[str, Any]]:
    """The updates without what was measured, in their order."""
    lines = [msgspec.to_builtins(record) for record in folder.read_clients()]
    return [{key: value for key, value in line.items() if key not in MEASURED} for line in lines]


def test_a_run_over_a_cluster_has_the_states_and_records_of_a_virtual_one(cluster: Nodes, tmp_path: Path) -> None:
    runs = {}
    for fleet, more in (("virtual", ()), ("ray", ("--ray", cluster.address))):
        words = ("run", TINY, "--method", "federa", "--rounds", "2", "--fleet", fleet, *more, "--out", fleet)
        result = bench(*words, "--set", "device.seconds=[{step_s: 0.5}]", cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert "raylet" not in result.stdout + result.stderr
        runs[fleet] = RunFolder(only_run(tmp_path / fleet))
    here, there = runs["virtual"], runs["ray"]
    assert [one.state_sha256 for one in there.read_rounds()] == [one.state_sha256 for one in here.read_rounds()]
    assert [one.metrics for one in there.read_rounds()] == [one.metrics for one in here.read_rounds()]
    assert records(there) == records(here)


def test_works_go_on_where_a_worker_is_killed(cluster: Nodes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    experiment = experiment_of(TINY, NULL, fleet="ray")
    workload = workload_of(experiment, tmp_path)
    until(lambda: not cluster.trainers(), "the end of an earlier run's trainers")
    force = ray_workforce(workload, experiment, 8, cluster.address)
    for work in works(workload, tmp_path, 60):
        force.send([work])
    found = heard(force, 2)
    cluster.trainers()[0].kill()
    found += heard(force, 60 - len(found))
    assert sorted(ended.number for ended in found) == list(range(60))
    assert {ended.failed for ended in found} == {None}
    assert "of the Ray cluster was lost" in caplog.text
    force.close()


def test_a_node_that_is_lost_in_a_round_does_not_end_it(tmp_path: Path) -> None:
    experiment = experiment_of(TINY, NULL, fleet="ray")
    workload = workload_of(experiment, tmp_path)
    with nodes(1, 1) as cluster:
        force = ray_workforce(workload, experiment, 8, cluster.address)
        for work in works(workload, tmp_path, 60):
            force.send([work])
        found = heard(force, 2)
        cluster.do("lose")
        found += heard(force, 60 - len(found))
        force.close()
    assert sorted(ended.number for ended in found) == list(range(60))
    assert {ended.failed for ended in found} == {None}


def test_a_cluster_of_this_machine_ends_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    sets = [word for pair in NULL for word in ("--set", pair)]
    words = ("run", TINY, "--method", "federa", "--rounds", "1", "--fleet", "ray", *sets)
    result = bench(*words, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert RunFolder(only_run(tmp_path / "runs")).read_header().state == "done"


def test_a_port_of_something_else_is_no_cluster(tmp_path: Path) -> None:
    result = bench("run", TINY, "--fleet", "ray", "--ray", "127.0.0.1:1", cwd=tmp_path)
    assert result.returncode == 2
    assert "no Ray cluster answers at 127.0.0.1:1" in result.stderr
    assert not (tmp_path / "runs").exists()


def test_a_second_join_stays_in_the_same_cluster_and_leaves_it_to_the_first(cluster: Nodes) -> None:
    first = Cluster.joined(cluster.address)
    second = Cluster.joined(cluster.address)
    second.close()
    assert len(first.nodes()) == 2
    first.close()
