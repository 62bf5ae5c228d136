"""The queue: nothing twice, everything once, and what stopped goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from sweep_stage import Ended, Noted, Scripted, asked, begun, ended, opened, plan

from harness.errors import NoAgentsError, UsageError
from harness.store import RunFolder
from harness.sweep.folder import Standing, SweepFolder
from harness.sweep.plan import Planned
from harness.sweep.queue import Queue

RUNS = plan(asked(methods=("federa",), seeds=(0,))).validation()
"""Two runs: 4e-3 and 1e-3."""


def finish(folder: RunFolder) -> int:
    ended(folder, [0.5, 0.6])
    return 0


def queue(folder: SweepFolder, act: Callable[[RunFolder], int] = finish, **how: object) -> Queue:
    def ready(standing: Standing) -> RunFolder:
        return standing.folder or begun(folder.root(standing.planned.stage), standing.planned)

    return Queue(folder, Scripted(act), ready, Noted(), **how)


def states(standings: list[Standing]) -> list[str]:
    return [one.state for one in standings]


def test_runs_begin_one_after_another_and_end(tmp_path: Path) -> None:
    one = queue(opened(tmp_path))
    assert states(one.carry_out(RUNS)) == ["done", "done"]
    assert one.watcher.told == [
        "began validation: federa, lr 0.004, seed 0",
        "done validation: federa, lr 0.004, seed 0, 2 rounds",
        "began validation: federa, lr 0.001, seed 0",
        "done validation: federa, lr 0.001, seed 0, 2 rounds",
    ]


def test_what_is_done_is_not_repeated(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    queue(folder).carry_out(RUNS[:1])
    again = queue(folder)
    assert states(again.carry_out(RUNS)) == ["done", "done"]
    assert again.workers.started == ["run-1"]


def test_what_was_interrupted_goes_on_in_its_folder(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    stopped = ended(begun(folder.root("validation"), RUNS[0], "stopped"), [0.4], "interrupted")

    def go_on(run: RunFolder) -> int:
        assert run.path == stopped.path
        ended(run, [0.5])
        return 0

    one = queue(folder, go_on)
    assert states(one.carry_out(RUNS[:1])) == ["done"]
    assert one.watcher.told[1].endswith("1 rounds")


def test_what_failed_stays_failed_until_it_is_to_be_tried_again(tmp_path: Path) -> None:
    folder = opened(tmp_path)

    def fail(run: RunFolder) -> int:
        ended(run, [], "failed", "the loss is not a number")
        return 1

    assert states(queue(folder, fail).carry_out(RUNS)) == ["failed", "failed"]
    again = queue(folder)
    assert states(again.carry_out(RUNS)) == ["failed", "failed"]
    assert again.workers.started == []
    assert states(queue(folder, retry_failed=True).carry_out(RUNS)) == ["done", "done"]


def test_a_process_that_breaks_off_takes_no_other_run_with_it_and_is_not_tried_twice(tmp_path: Path) -> None:
    one = queue(opened(tmp_path), lambda run: -9 if run.path.name == "run-0" else finish(run))
    assert states(one.carry_out(RUNS)) == ["interrupted", "done"]
    assert one.workers.started == ["run-0", "run-1"]


@pytest.mark.parametrize(("code", "kind"), [(2, UsageError), (3, NoAgentsError)])
def test_what_would_stop_every_run_is_said_at_once_and_is_no_result(tmp_path: Path, code: int, kind: type) -> None:
    folder = opened(tmp_path)

    def refuse(run: RunFolder) -> int:
        ended(run, [], "failed", "there is no such data set")
        return code

    one = queue(folder, refuse)
    with pytest.raises(kind, match="run-0: there is no such data set"):
        one.carry_out(RUNS)
    assert one.workers.started == ["run-0"]
    assert states(queue(folder).carry_out(RUNS)) == ["done", "done"]


def test_a_run_that_another_process_writes_is_left_to_it_and_the_others_go_first(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    foreign = begun(folder.root("validation"), RUNS[0], "foreign")
    with ExitStack() as other:
        other.enter_context(foreign.locked())

        def finish_both(run: RunFolder) -> int:
            finish(run)
            finish(foreign)
            other.close()
            return 0

        one = queue(folder, finish_both)
        assert states(one.carry_out(RUNS)) == ["done", "done"]
    assert one.workers.started == ["run-1"]
    assert one.watcher.told[0] == "waiting validation: federa, lr 0.004, seed 0"


def test_a_run_that_another_process_gave_up_is_taken_up(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    foreign = begun(folder.root("validation"), RUNS[0], "foreign")
    with ExitStack() as other:
        other.enter_context(foreign.locked())

        def give_up(run: RunFolder) -> int:
            other.close()
            return finish(run)

        one = queue(folder, give_up)
        assert states(one.carry_out(RUNS)) == ["done", "done"]
    assert one.workers.started == ["run-1", "foreign"]


class Together:
    """Workers that end only when ``jobs`` of them are there."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.most = 0
        self.folders: list[RunFolder] = []

    def start(self, folder: RunFolder, log: Path) -> Worker:
        self.folders.append(folder)
        self.most = max(self.most, len(self.folders))
        return Worker(self, folder)


class Worker:
    """One of them."""

    def __init__(self, group: Together, folder: RunFolder) -> None:
        self.group, self.folder = group, folder
        self.code: int | None = None

    def poll(self) -> int | None:
        if self.code is None and self.group.most == self.group.jobs:
            self.group.folders.remove(self.folder)
            self.code = finish(self.folder)
        return self.code


def test_as_many_run_side_by_side_as_there_are_jobs(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    one = queue(folder, jobs=2)
    one.workers = Together(2)
    runs: tuple[Planned, ...] = plan(asked(methods=("federa",))).validation()
    assert states(one.carry_out(runs)) == ["done"] * 4
    assert one.workers.most == 2


def test_an_ended_process_without_a_word_points_to_its_log(tmp_path: Path) -> None:
    one = queue(opened(tmp_path), lambda run: 2)
    with pytest.raises(UsageError, match=r"its process ended; the end of .*logs/run-0\.log tells why"):
        one.carry_out(RUNS)
    assert Ended(2).poll() == 2
