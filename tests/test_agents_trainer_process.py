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

STUB = (sys.executable, str(Path(__file__).with_name("stub_trainer.py")))


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[TrainerProcess]:
    (tmp_path / "weights").write_bytes(b"w")
    (tmp_path / "state").write_bytes(b"state")
    process = TrainerProcess(1, tmp_path / "log", STUB)
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
    assert trainer.died() == "the trainer was killed by signal 9 (out of memory?)"


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
