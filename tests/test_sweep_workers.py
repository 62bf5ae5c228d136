"""Processes of runs."""

from __future__ import annotations

from pathlib import Path

import psutil
from benchtools import TINY, until

from harness.bench import RunOptions, new_run
from harness.environment import SHARE_VARIABLE, share
from harness.launch import experiment_of
from harness.learning.workload import Sources
from harness.store import RunFolder
from harness.sweep.workers import processes


def test_a_process_tells_its_exit_code_and_its_log_why(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    with processes(tmp_path) as workers:
        worker = workers.start(RunFolder(tmp_path / "nowhere"), log)
        until(lambda: worker.poll() is not None, "the end of the process")
        assert worker.poll() == 2
    assert "is not a run folder" in log.read_text()


def test_runs_at_a_time_share_the_cores_of_the_machine(tmp_path: Path) -> None:
    experiment = experiment_of(TINY, ["train.trainer='null'", "rounds.count=100000"])
    folder = new_run(experiment, "fedbf", Sources(), RunOptions(out=tmp_path))
    with processes(tmp_path, jobs=2 * share()) as workers:
        worker = workers.start(folder, tmp_path / "run.log")
        process = psutil.Process(worker.pid)
        until(process.environ, "the process' environment, which is empty while it begins")
        assert process.environ()[SHARE_VARIABLE] == "1"
    assert processes_given(tmp_path, jobs=1) == share()


def processes_given(out: Path, jobs: int) -> int:
    with processes(out, jobs) as workers:
        return workers.cores


def test_none_is_left_when_the_sweep_ends_and_the_run_can_go_on(tmp_path: Path) -> None:
    experiment = experiment_of(TINY, ["train.trainer='null'", "rounds.count=100000"])
    folder = new_run(experiment, "fedbf", Sources(), RunOptions(out=tmp_path))
    with processes(tmp_path) as workers:
        worker = workers.start(folder, tmp_path / "run.log")
        until(lambda: folder.read_rounds(), "the first round")
        pid = worker.pid
    assert not psutil.pid_exists(pid)
    assert folder.read_header().state == "interrupted"
    assert not folder.is_locked()
