"""Sweeps over a cluster: whole runs on its nodes, the same runs as here; a lost one is carried on elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from benchtools import TINY, bench, until
from cluster_stage import Nodes, nodes

from harness.bench import RunOptions, new_run
from harness.environment import SHARE_VARIABLE
from harness.errors import RunInterruptedError, UsageError
from harness.fleets.cluster_versions import versions
from harness.fleets.cluster_wire import packed
from harness.launch import experiment_of
from harness.learning.workload import Sources
from harness.store import RunFolder
from harness.sweep.carrier import Carrier, cores_alone
from harness.sweep.cluster import cluster_runs
from harness.sweep.workers import begun

NULL = ("train.trainer='null'", "rounds.count=3")
SWEEP = ("sweep", TINY, "--methods", "fedbf fedlr", "--lrs", "1e-3", "--seeds", "0", "--rounds", "1")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    with nodes(1, 1) as found:
        yield found


def null_run(out: Path, rounds: int = 3) -> RunFolder:
    """A run of the null trainer on a virtual fleet that has just been made."""
    experiment = experiment_of(TINY, [*NULL, f"rounds.count={rounds}"], fleet="virtual")
    return new_run(experiment, "fedbf", Sources(), RunOptions(out=out))


def states(out: Path) -> dict[str, list[str]]:
    """The states' hashes of each run below, by method."""
    runs = [RunFolder(path.parent) for path in out.rglob("header.json")]
    return {run.read_header().method: [one.state_sha256 for one in run.read_rounds()] for run in runs}


def test_a_sweep_over_a_cluster_has_the_runs_of_a_sweep_here(cluster: Nodes, tmp_path: Path) -> None:
    over = bench(*SWEEP, "--fleet", "ray", "--ray", cluster.address, "--json", cwd=tmp_path)
    assert over.returncode == 0, over.stderr
    first = json.loads(over.stdout)
    assert (first["done"], first["failed"], first["left"]) == (2, 0, 0)
    shutil.copytree(tmp_path / "runs", tmp_path / "there")
    again = bench(*SWEEP, "--fleet", "virtual", "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["runs"] == first["runs"]  # found as done, by their identity: nothing is repeated
    here = bench(*SWEEP, "--fleet", "virtual", "--out", "here", cwd=tmp_path)
    assert here.returncode == 0, here.stderr
    assert states(tmp_path / "there") == states(tmp_path / "here")
    headers = [json.loads(path.read_text()) for path in (tmp_path / "there").rglob("header.json")]
    assert {header["profile"]["fleet"] for header in headers} == {"virtual"}


def test_a_run_whose_node_is_lost_goes_on_elsewhere(tmp_path: Path) -> None:
    folders = [null_run(tmp_path, rounds=200) for _ in range(2)]
    with nodes(1, 1) as cluster, cluster_runs(cluster.address, tmp_path, tmp_path, 1) as started:
        runs = [started.start(folder, tmp_path / f"{folder.path.name}.log") for folder in folders]
        until(lambda: all(folder.read_rounds() for folder in folders), "the first rounds, one run on each node")
        assert [folder.read_header().state for folder in folders] == ["running", "running"]
        cluster.do("lose")
        until(lambda: None not in [run.poll() for run in runs], "the end of both")
    assert [run.poll() for run in runs] == [0, 0]
    assert sorted(run.tries for run in runs) == [1, 2]
    assert [folder.read_header().state for folder in folders] == ["done", "done"]
    assert "was lost on its node" in "".join(path.read_text() for path in tmp_path.glob("*.log"))


def test_none_is_left_when_the_sweep_ends(cluster: Nodes, tmp_path: Path) -> None:
    folder = null_run(tmp_path, rounds=100_000)
    with cluster_runs(cluster.address, tmp_path, tmp_path, 1) as runs:
        runs.start(folder, tmp_path / "log")
        until(lambda: folder.read_rounds(), "the first round")
    assert folder.read_header().state == "interrupted"
    assert not folder.is_locked()


def test_it_has_room_for_as_many_runs_as_there_are_cores(cluster: Nodes, tmp_path: Path) -> None:
    with cluster_runs(cluster.address, tmp_path, tmp_path, 1) as runs:
        assert runs.room == 2
    assert list(tmp_path.iterdir()) == []
    with (
        pytest.raises(UsageError, match="no node of the Ray cluster has 64 cores"),
        cluster_runs(cluster.address, tmp_path, tmp_path, 64),
    ):
        pass


# Without Ray


def test_a_carrier_refuses_a_run_that_its_node_does_not_see(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="this node does not see"):
        Carrier().carry_on(str(tmp_path / "run"), str(tmp_path), str(tmp_path / "log"), 1, packed(versions()))


def test_a_carrier_refuses_a_node_with_other_versions(tmp_path: Path) -> None:
    other = packed(msgspec.structs.replace(versions(), sources="0" * 12))
    folder = null_run(tmp_path)
    with pytest.raises(UsageError, match="this node has other versions than the machine that sweeps"):
        Carrier().carry_on(str(folder.path), str(tmp_path), str(tmp_path / "log"), 1, other)


def test_a_carrier_that_is_stopped_before_it_begins_begins_nothing(tmp_path: Path) -> None:
    carrier, log = Carrier(), tmp_path / "log"
    carrier.stop()
    code = carrier.carry_on(str(null_run(tmp_path).path), str(tmp_path), str(log), 1, packed(versions()))
    assert code == RunInterruptedError.exit_code
    assert not log.exists()


def test_a_run_on_a_node_has_the_cores_that_ray_gave_it(tmp_path: Path) -> None:
    worker = begun(null_run(tmp_path, rounds=100_000).path, tmp_path, tmp_path / "log", cores=3)
    try:
        process = psutil.Process(worker.pid)
        until(process.environ, "the process' environment, which is empty while it begins")
        assert process.environ()[SHARE_VARIABLE] == "3"
    finally:
        worker.terminate()
        worker.wait()
        worker.stdin.close()  # type: ignore[union-attr]


def test_runs_of_a_node_have_cores_of_their_own(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    with cores_alone(1, tmp_path):
        first = os.sched_getaffinity(0)
        assert len(first) == 1
        os.sched_setaffinity(0, before)  # as another process of the node has it
        with cores_alone(len(before), tmp_path):
            assert os.sched_getaffinity(0) == before, "there are not so many left"
        if len(before) > 1:
            with cores_alone(1, tmp_path):
                assert os.sched_getaffinity(0).isdisjoint(first)
    assert os.sched_getaffinity(0) == before
