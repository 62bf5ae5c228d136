"""Real processes."""

import os
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_controller import PREPARE

from agents.frames import Answer, Broken, Prepare, Prepared, Train
from agents.trainer_process import TrainerProcess
from harness.pipes.process import OOM_SCORE_ADJ

STUB = (sys.executable, str(Path(__file__).with_name("stub_trainer.py")))


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[TrainerProcess]:
    (tmp_path / "weights").write_bytes(b"w")
    (tmp_path / "state").write_bytes(b"state")
    (tmp_path / "vmstat").write_text("pgfault 5\noom_kill 7\n")
    process = TrainerProcess(1, tmp_path / "log", STUB, tmp_path / "vmstat")
    process.order(Prepare(spec=PREPARE, base=str(tmp_path), init=None))
    yield process
    process.end()


def answer_of(trainer: TrainerProcess) -> Answer | None:
    """The next answer, or None at its end."""
    while True:
        assert select.select([trainer.fd], [], [], 30)[0]
        answers, ended = trainer.read()
        if answers or ended:
            return answers[0] if answers else None


def train(folder: Path, shard: str) -> Train:
    (folder / "shard").write_text(shard)
    paths = {name: str(folder / name) for name in ("state", "shard", "update")}
    return Train(seed=1, round=1, **paths)


def test_what_libraries_print_does_not_meet_the_frames(trainer: TrainerProcess, tmp_path: Path) -> None:
    assert answer_of(trainer) == Prepared()
    trainer.order(train(tmp_path, "fine"))
    assert answer_of(trainer).samples == 7
    assert "libraries print" in (tmp_path / "log").read_text()


def test_an_exception_is_an_answer(trainer: TrainerProcess, tmp_path: Path) -> None:
    answer_of(trainer)
    trainer.order(train(tmp_path, "raise"))
    assert answer_of(trainer) == Broken(reason="the shard is empty")


def test_a_killed_trainer_is_told_in_words(trainer: TrainerProcess, tmp_path: Path) -> None:
    answer_of(trainer)
    os.kill(trainer.pid, signal.SIGKILL)
    assert answer_of(trainer) is None
    trainer.order(train(tmp_path, "fine"))
    assert trainer.died() == "the trainer was killed by signal 9"


def test_a_trainer_that_the_kernel_killed_for_its_memory_is_told_apart(trainer: TrainerProcess, tmp_path: Path) -> None:
    answer_of(trainer)
    (tmp_path / "vmstat").write_text("pgfault 6\noom_kill 8\n")
    os.kill(trainer.pid, signal.SIGKILL)
    assert answer_of(trainer) is None
    assert trainer.died() == "oom: the trainer was killed by signal 9: the kernel ran out of memory"


def test_where_the_kernel_does_not_count_a_kill_is_a_kill(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    trainer = TrainerProcess(1, tmp_path / "log", command, tmp_path / "missing")
    assert answer_of(trainer) is None
    assert trainer.died() == "the trainer was killed by signal 9"


def test_where_memory_runs_out_the_kernel_takes_the_trainer(trainer: TrainerProcess) -> None:
    assert int(Path(f"/proc/{trainer.pid}/oom_score_adj").read_text()) == OOM_SCORE_ADJ


@pytest.fixture
def small_room() -> Iterator[Path]:
    """A memory cgroup of 64 MiB."""
    for root, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        room = Path(root) / f"federa-bench-{os.getpid()}"
        try:
            room.mkdir()
        except OSError:
            continue
        try:
            (room / limit).write_text(str(64 * 2**20))
            yield room
            return
        except OSError:
            continue
        finally:
            room.rmdir()
    pytest.skip("no memory cgroup can be made here: that takes root and a cgroup file system that can be written")


def test_a_memory_limit_kills_the_trainer_and_the_reason_says_so(small_room: Path, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"w")
    (tmp_path / "state").write_bytes(b"state")
    trainer = TrainerProcess(1, tmp_path / "log", STUB)
    trainer.order(Prepare(spec=PREPARE, base=str(tmp_path), init=None))
    assert answer_of(trainer) == Prepared()
    (small_room / "cgroup.procs").write_text(str(trainer.pid))
    trainer.order(train(tmp_path, "starve"))
    assert answer_of(trainer) is None
    assert trainer.died().startswith("oom: the trainer was killed by signal 9")


def test_an_exit_is_told_with_the_last_words(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('no such library')")
    trainer = TrainerProcess(1, tmp_path / "log", command)
    assert answer_of(trainer) is None
    assert trainer.died() == "the trainer ended with exit code 1; it said: no such library"


def test_the_threads_are_set_for_the_process(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import os, sys; sys.exit(os.environ['OMP_NUM_THREADS'])")
    trainer = TrainerProcess(3, tmp_path / "log", command)
    assert answer_of(trainer) is None
    assert trainer.died().endswith("said: 3")


def test_an_ended_trainer_is_gone_even_while_it_trains(trainer: TrainerProcess, tmp_path: Path) -> None:
    answer_of(trainer)
    trainer.order(train(tmp_path, "hang"))
    trainer.end()
    with pytest.raises(ProcessLookupError):
        os.kill(trainer.pid, 0)
