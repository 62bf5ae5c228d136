"""The trainer process: ``python -m agents.worker``, orders on stdin, answers on stdout, words on stderr.

The only place of this package that imports :mod:`harness.learning`, when the first order comes.
"""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec

from agents.frames import Answer, Broken, Order, Prepare, Prepared, Train, TrainedFrame, order_of
from harness.blobs import blob_of
from harness.errors import FederaBenchError
from harness.learning.measured import measured
from harness.learning.spec import PrepareSpec, Trainer
from harness.pipes.child import out_of_memory, serve
from harness.pipes.frames import OOM

MakeTrainer = Callable[[PrepareSpec, Path, "Path | None"], Trainer]


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
        update, began_s = Path(order.update), time.monotonic()
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
            began_s=began_s,
            update=blob_of(update),
        )


def _make_trainer(spec: PrepareSpec, base: Path, init: Path | None) -> Trainer:
    """The project's trainer; imported late, so that the process answers for a failing import as for any other."""
    from harness.learning.trainer import make_trainer

    return make_trainer(spec, base, init)


def main(make_trainer: MakeTrainer = _make_trainer) -> None:
    """Read orders from stdin and answer on stdout until stdin ends."""
    worker = Worker(make_trainer)
    serve(order_of, lambda order: [worker.answer(order)])


if __name__ == "__main__":
    main()
