"""The trainer process: ``python -m agents.worker``, orders on stdin, answers on stdout, words on stderr.

The only place of this package that imports :mod:`harness.learning`, when the first order comes. The process ends at
once when stdin does, even while it trains: a trainer never outlives its agent.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec

from agents.frames import (
    OOM,
    Answer,
    Broken,
    FrameBuffer,
    Order,
    Prepare,
    Prepared,
    Train,
    TrainedFrame,
    order_of,
    pack,
)
from harness.blobs import blob_of
from harness.errors import FederaBenchError
from harness.learning.measured import measured
from harness.learning.spec import PrepareSpec, Trainer

READ_BYTES = 65536
OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""What torch's errors say, of any device's memory, where their type does not tell (torch 2.13)."""
MakeTrainer = Callable[[PrepareSpec, Path, "Path | None"], Trainer]


def out_of_memory(error: Exception) -> bool:
    """Whether memory was what an order lacked: the host's, or the accelerator's."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)


class Worker:
    """Carries out orders with one trainer."""

    def __init__(self, make_trainer: MakeTrainer) -> None:
        self._make_trainer = make_trainer
        self._trainer: Trainer | None = None
        self._warm_up = True

    def answer(self, order: Order) -> Answer:
        """Do what is ordered; whatever goes wrong becomes Broken, the traceback goes to stderr."""
        try:
            return self._prepare(order) if isinstance(order, Prepare) else self._train(order)
        except FederaBenchError as error:
            return Broken(reason=str(error))
        except Exception as error:
            with contextlib.suppress(OSError):  # the disk that takes the log may be what is full
                traceback.print_exc()
            return Broken(reason=f"{OOM if out_of_memory(error) else ''}{type(error).__name__}: {error}")

    def _prepare(self, order: Prepare) -> Prepared:
        self._trainer = None  # two models at once need not fit
        spec = msgspec.convert(order.spec, PrepareSpec)
        self._trainer = self._make_trainer(spec, Path(order.base), Path(order.init) if order.init else None)
        return Prepared()

    def _train(self, order: Train) -> TrainedFrame:
        if self._trainer is None:
            raise RuntimeError("a task came before the trainer was prepared")
        update = Path(order.update)
        done = measured(self._trainer, Path(order.state), Path(order.shard), update, order.seed, order.round)
        warm_up, self._warm_up = self._warm_up, False
        return TrainedFrame(
            load_s=done.load_s,
            train_s=done.train_s,
            serialise_s=done.serialise_s,
            samples=done.trained.samples,
            steps=done.trained.steps,
            tokens=done.trained.tokens,
            loss=done.trained.loss,
            cpu_s=done.cpu_s,
            peak_rss_bytes=done.peak_rss_bytes,
            warm_up=warm_up,
            update=blob_of(update),
        )


def _make_trainer(spec: PrepareSpec, base: Path, init: Path | None) -> Trainer:
    """The project's trainer; imported late, so that the process answers for a failing import as for any other."""
    from harness.learning.trainer import make_trainer

    return make_trainer(spec, base, init)


def _read_orders(fd: int, orders: queue.SimpleQueue[Order]) -> None:
    """Orders from the pipe, until it ends, and the process with it."""
    buffer = FrameBuffer()
    while data := os.read(fd, READ_BYTES):
        for body in buffer.feed(data):
            orders.put(order_of(body))
    os._exit(0)


def main(make_trainer: MakeTrainer = _make_trainer) -> None:
    """Read orders from stdin and answer on stdout until stdin ends."""
    answers_fd = os.dup(1)
    # Libraries print: whatever they say goes to stderr and cannot be mistaken for a frame.
    os.dup2(2, 1)
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
    threading.Thread(target=_read_orders, args=(os.dup(0), orders), daemon=True).start()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    worker = Worker(make_trainer)
    with os.fdopen(answers_fd, "wb", buffering=0) as answers:
        while True:
            answers.write(pack(worker.answer(orders.get())))
            with contextlib.suppress(OSError):
                sys.stderr.flush()


if __name__ == "__main__":
    main()
