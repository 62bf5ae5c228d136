"""Runs of a sweep on a played cluster: tried again, given up, stopped; and nodes that are not fit for them."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest
from cluster_stage import Lost, Played
from sweep_stage import begun as begun_run
from sweep_stage import plan

from harness.errors import RunInterruptedError, UsageError
from harness.sweep.cluster import LOST, MOST_TRIES, ClusterRun, check_nodes


class Told:
    """A run on a played cluster, whose carriers answer what the test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = begun_run(folder / "runs", plan().test({"fedlr": 1e-3})[0])
        self.cluster = Played(folder, a=1)
        self.cluster.says[None, "carry_on"] = 0
        self.run = ClusterRun(self.cluster, self.folder, folder, folder / "log", 1, pause_s=0)  # type: ignore[arg-type]

    def tell(self, code: int | None, lost: str | None = None) -> int | None:
        _, told = self.cluster.coming.pop()
        told(code, lost)
        return self.run.poll()


def test_a_run_ends_with_the_code_of_its_process(tmp_path: Path) -> None:
    stage = Told(tmp_path)
    assert stage.run.poll() is None
    assert stage.tell(3) == 3
    assert stage.run.poll() == 3
    assert stage.run.tries == 1


@pytest.mark.parametrize(("code", "lost", "why"), [(None, "the node died", "the node died"), (-9, None, "signal 9")])
def test_a_run_is_tried_so_often_and_then_stands_as_interrupted(
    code: int | None, lost: str | None, why: str, tmp_path: Path
) -> None:
    stage = Told(tmp_path)
    assert stage.run.poll() is None
    for _ in range(MOST_TRIES - 1):
        assert stage.tell(code, lost) is None
    assert stage.tell(code, lost) == LOST
    log = (tmp_path / "log").read_text()
    assert why in log
    assert f"time {MOST_TRIES} of {MOST_TRIES}" in log


def test_a_run_is_not_begun_again_while_its_folder_is_held(tmp_path: Path) -> None:
    stage = Told(tmp_path)
    assert stage.run.poll() is None
    with (stage.folder.path / "controller.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as the process on the node that was lost may, for a while
        assert stage.tell(None, "the node died") is None
        assert stage.run.tries == 1
    assert stage.run.poll() is None
    assert stage.run.tries == 2


def test_a_run_is_not_begun_again_at_once_for_its_node_may_still_count_as_alive(tmp_path: Path) -> None:
    stage = Told(tmp_path)
    assert stage.run.poll() is None
    stage.run.pause_s = 3600.0
    assert stage.tell(None, "the node died") is None
    assert stage.run.poll() is None
    assert stage.run.tries == 1


def test_without_a_node_to_begin_on_a_run_is_lost_and_says_so(tmp_path: Path) -> None:
    stage = Told(tmp_path)
    stage.run.patience_s = 0.0
    stage.cluster.lose("a")
    assert stage.run.poll() == LOST
    assert "no node of the Ray cluster has 1 cores any more; start one" in (tmp_path / "log").read_text()
    assert stage.cluster.processes == []
    assert stage.run.stopped()


def test_a_run_waits_a_while_for_a_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.sweep.cluster.ASK_S", 0.0)
    stage = Told(tmp_path)
    stage.cluster.lose("a")
    assert stage.run.poll() is None
    assert stage.run.carrier is None
    stage.cluster.cores["b"] = 1
    assert stage.run.poll() is None
    assert stage.tell(0) == 0


def test_a_carrier_that_waits_for_a_node_that_is_gone_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.sweep.cluster.ASK_S", 0.0)
    stage = Told(tmp_path)
    stage.run.patience_s = 0.0
    assert stage.run.poll() is None
    stage.cluster.lose("a")
    assert stage.run.poll() == LOST
    assert stage.run.carrier is None


def test_a_run_that_no_node_has_begun_is_stopped_at_once(tmp_path: Path) -> None:
    stage = Told(tmp_path)
    assert stage.run.poll() is None
    stage.run.stop()
    assert stage.run.stopped()
    assert (None, "stop") not in stage.cluster.calls
    assert stage.run.poll() == RunInterruptedError.exit_code


def test_a_run_that_a_node_has_begun_is_told_to_stop(tmp_path: Path) -> None:
    stage = Told(tmp_path)
    assert stage.run.poll() is None
    stage.cluster.let_answer()  # its carrier is there
    stage.run.stop()
    assert (None, "stop") in stage.cluster.calls
    assert not stage.run.stopped()


def test_a_node_that_does_not_answer_what_it_sees_is_named(tmp_path: Path) -> None:
    cluster: Any = Played(tmp_path, a=1, b=1)
    cluster.says["b", "sees"] = Lost("see /tmp/x")
    with pytest.raises(UsageError, match=r"node host-b of the Ray cluster cannot carry runs \(see /tmp/x\)"):
        check_nodes(cluster, cluster.nodes(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_node_that_does_not_see_the_folder_is_refused(tmp_path: Path) -> None:
    cluster: Any = Played(tmp_path, a=1, b=1)
    check_nodes(cluster, cluster.nodes(), tmp_path)
    cluster.says["b", "sees"] = ""
    with pytest.raises(UsageError, match=r"node host-b of the Ray cluster does not see .*file system that they share"):
        check_nodes(cluster, cluster.nodes(), tmp_path)
    assert list(tmp_path.iterdir()) == []
