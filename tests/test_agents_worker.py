"""The worker's orders, carried out in this process; the process itself is test_agents_trainer_process's."""

import time
from pathlib import Path

import pytest
from stub_controller import PREPARE, blob
from stub_trainer import StubTrainer, make_trainer

from agents.frames import Broken, Prepare, Prepared, Train, TrainedFrame
from agents.worker import Worker
from harness.pipes.child import out_of_memory


def prepared(tmp_path: Path) -> Worker:
    (tmp_path / "weights").write_bytes(b"w")
    (tmp_path / "state").write_bytes(b"state")
    (tmp_path / "fine").write_text("fine")
    (tmp_path / "raise").write_text("raise")
    worker = Worker(make_trainer)
    assert worker.answer(Prepare(spec=PREPARE, base=str(tmp_path), init=None)) == Prepared()
    return worker


def train(tmp_path: Path, shard: str) -> Train:
    state, update = str(tmp_path / "state"), str(tmp_path / "update")
    return Train(state=state, shard=str(tmp_path / shard), seed=1, round=1, update=update)


def test_a_task_is_loaded_trained_and_saved(tmp_path: Path) -> None:
    answer = prepared(tmp_path).answer(train(tmp_path, "fine"))
    assert isinstance(answer, TrainedFrame)
    assert (answer.samples, answer.warm_up) == (7, True)
    assert min(answer.load_s, answer.train_s, answer.serialise_s) >= 0
    assert answer.peak_rss_bytes > 10_000_000
    assert (tmp_path / "update").read_bytes() == b"state"
    assert answer.update == blob("update", b"state")


def test_its_phases_begin_on_the_clock_that_the_agent_reads_too(tmp_path: Path) -> None:
    worker, before_s = prepared(tmp_path), time.monotonic()
    answer = worker.answer(train(tmp_path, "fine"))
    lasted_s = answer.load_s + answer.train_s + answer.serialise_s
    assert before_s <= answer.began_s <= answer.began_s + lasted_s <= time.monotonic()


def test_only_the_first_task_is_a_warm_up(tmp_path: Path) -> None:
    worker = prepared(tmp_path)
    assert [worker.answer(train(tmp_path, "fine")).warm_up for _ in range(3)] == [True, False, False]


def test_an_error_for_people_is_told_as_it_stands(tmp_path: Path) -> None:
    assert prepared(tmp_path).answer(train(tmp_path, "raise")) == Broken(reason="the shard is empty")


def test_any_other_error_is_told_with_its_type(tmp_path: Path, capfd) -> None:
    answer = prepared(tmp_path).answer(train(tmp_path, "missing"))
    assert answer.reason.startswith("FileNotFoundError: ")
    assert "Traceback" in capfd.readouterr().err


def test_a_task_before_the_trainer_is_an_error(tmp_path: Path) -> None:
    assert "before the trainer was prepared" in Worker(make_trainer).answer(train(tmp_path, "fine")).reason


def test_a_spec_that_is_none_is_an_error(tmp_path: Path) -> None:
    answer = Worker(make_trainer).answer(Prepare(spec={"method": "magic"}, base=str(tmp_path), init=None))
    assert answer.reason.startswith("ValidationError: ")


class OutOfMemoryError(RuntimeError):
    """As torch's is called, of any device."""


@pytest.mark.parametrize(
    ("error", "oom"),
    [
        (MemoryError(), True),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_lack_of_memory_is_told_apart(tmp_path: Path, error: Exception, oom: bool) -> None:
    def starving(*_: object) -> StubTrainer:
        raise error

    reason = Worker(starving).answer(Prepare(spec=PREPARE, base=str(tmp_path), init=None)).reason
    assert reason.startswith("oom: ") == oom
    assert type(error).__name__ in reason


def test_torch_says_so_in_the_words_that_are_looked_for() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed here; the agent's shell does without it")

    with pytest.raises(RuntimeError) as error:
        torch.empty(10**15)
    assert out_of_memory(error.value)
