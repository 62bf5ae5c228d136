"""A workforce of real processes, with trainers of a few lines."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from benchtools import until

from harness.errors import TrainerError
from harness.fleets.processes import Processes
from harness.fleets.training_frames import Prepare
from harness.fleets.workforce import Ended, Work
from harness.learning.spec import PrepareSpec
from harness.profiles import MethodProfile, TrainProfile

STUB = (sys.executable, str(Path(__file__).with_name("stub_training_child.py")))
SPEC = PrepareSpec(method="federa", settings=MethodProfile(), train=TrainProfile(), labels=2, threads=3)


class Stage:
    """Processes in a folder, and works by number whose shards say what happens."""

    def __init__(self, folder: Path, workforce: Processes) -> None:
        self.folder, self.workforce = folder, workforce
        (folder / "state").write_bytes(b"1234")

    def work(self, number: int, shard: str) -> Work:
        path = self.folder / f"shard-{number}"
        path.write_text(shard)
        state, update = str(self.folder / "state"), str(self.folder / f"update-{number}")
        return Work(number=number, round=1, client=number, seed=number, state=state, shard=str(path), update=update)

    def send(self, *shards: str) -> None:
        """A work for each shard, sent one by one."""
        for number, shard in enumerate(shards):
            self.workforce.send([self.work(number, shard)])

    def ended(self, count: int) -> dict[int, Ended]:
        """How so many works ended, by number."""
        found: dict[int, Ended] = {}
        until(lambda: len(found.update((one.number, one) for one in self.workforce.ended()) or found) >= count, "works")
        return found


@contextmanager
def stage(folder: Path, count: int = 1, **prepare: Any) -> Iterator[Stage]:
    told = {"spec": SPEC, "base": None, "init": None, "fused": 1, **prepare}
    with closing(Processes(count, Prepare(**told), folder / "logs", STUB)) as workforce:
        yield Stage(folder, workforce)


def trained_by(ended: Ended) -> int:
    """The process that trained."""
    assert ended.done is not None
    return ended.done.trained.samples


def test_works_are_trained_side_by_side(tmp_path: Path) -> None:
    marks = tmp_path / "a", tmp_path / "b"
    with stage(tmp_path, count=2) as here:
        here.send(f"meet {marks[0]} {marks[1]}", f"meet {marks[1]} {marks[0]}")
        found = here.ended(2)
    assert trained_by(found[0]) != trained_by(found[1])
    assert (tmp_path / "update-1").read_bytes() == b"1234!"
    assert found[1].update is not None
    assert found[1].update.size_bytes == 5


def test_the_first_work_of_each_process_is_marked(tmp_path: Path) -> None:
    marks = tmp_path / "a", tmp_path / "b"
    with stage(tmp_path, count=2) as here:
        here.send(f"meet {marks[0]} {marks[1]}", f"meet {marks[1]} {marks[0]}")
        found = here.ended(2)
        here.send("fine", "fine")
        again = here.ended(2)
    assert [found[number].warm_up for number in range(2)] == [True, True]
    assert [again[number].warm_up for number in range(2)] == [False, False]


def test_a_process_in_the_place_of_one_that_died_begins_with_a_mark_too(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        here.send("fine", "raise", f"die-once {tmp_path / 'mark'}", "fine")
        found = here.ended(4)
    assert [found[number].warm_up for number in range(4)] == [True, False, True, False]


def test_many_works_all_end_and_threads_are_those_of_the_device(tmp_path: Path) -> None:
    with stage(tmp_path, count=2) as here:
        here.send(*["fine"] * 40)
        found = here.ended(40)
    assert sorted(found) == list(range(40))
    assert {one.done.trained.steps for one in found.values() if one.done} == {3}


def test_an_error_is_the_client_s_and_the_others_go_on(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        here.send("raise", "starve", "fine")
        found = here.ended(3)
    assert found[0].failed == "training diverged"
    assert found[1].failed == "oom: MemoryError: no more"
    assert found[2].done is not None


def test_a_process_that_dies_once_is_replaced_and_its_work_tried_again(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        here.send("fine", f"die-once {tmp_path / 'mark'}", "fine")
        found = here.ended(3)
    assert found[0].done is not None
    assert trained_by(found[0]) != trained_by(found[1]) == trained_by(found[2])
    assert (tmp_path / "logs" / "trainer-1.log").read_text().strip() == "out of luck"


def test_where_it_dies_of_a_work_again_the_work_is_the_client_s_failure(tmp_path: Path) -> None:
    with stage(tmp_path, count=2) as here:
        here.send("die", "fine", "fine")
        found = here.ended(3)
    assert found[0].failed == "the trainer was killed by signal 9"
    assert [found[number].failed for number in (1, 2)] == [None, None]


def test_a_full_disk_is_the_run_s_failure(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        here.send("full")
        with pytest.raises(OSError, match=r"No space left on device: 'update-7'"):
            here.ended(1)


@pytest.mark.parametrize(
    ("says", "reason"), [("broken", "the model is none"), ("alas", "the trainer ended with exit code 1; it said: alas")]
)
def test_where_no_model_can_be_built_the_run_fails(tmp_path: Path, says: str, reason: str) -> None:
    (tmp_path / "says").write_text(says)
    with stage(tmp_path, base=str(tmp_path)) as here, pytest.raises(TrainerError) as error:
        here.ended(1)
    assert str(error.value) == reason


def test_what_is_sent_together_is_one_batch_of_one_process(tmp_path: Path) -> None:
    with stage(tmp_path, count=2, fused=3) as here:
        here.workforce.send([here.work(number, "fine") for number in range(3)])
        here.workforce.send([here.work(3, "fine")])
        found = here.ended(4)
    assert [found[number].failed for number in range(4)] == ["one of 3"] * 3 + ["one of 1"]


def test_it_waits_no_longer_than_until_somebody_wakes_it(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b".")
    with stage(tmp_path) as here:
        assert here.workforce.ended([reading]) == []
    os.close(reading)
    os.close(writing)


def test_a_closed_workforce_leaves_no_process(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        here.send("fine", f"meet {tmp_path / 'mine'} {tmp_path / 'never'}")
        pid = trained_by(here.ended(1)[0])
        until((tmp_path / "mine").exists, "the second work")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
