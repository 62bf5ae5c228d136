"""Work that takes long, beside the loop: a thread, results through a queue, a pipe to wake the loop.

Aggregation and evaluation let go of the interpreter while they compute, so heartbeats are answered meanwhile.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")
Job = Callable[[], Result | None]
"""What is to be done; its result, None where there is nothing to tell."""


class ErrandsClosedError(Exception):
    """The job is not wanted any more; nobody waits for its result."""


class Errands(Generic[Result]):
    """Runs jobs one after another in a thread of its own."""

    def __init__(self, name: str = "errands") -> None:
        self._jobs: queue.SimpleQueue[Job[Result] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._read_fd, self._write_fd = os.pipe()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def fd(self) -> int:
        """Readable when a result waits."""
        return self._read_fd

    def send(self, job: Job[Result]) -> None:
        """Run ``job`` after those sent before it."""
        self._jobs.put(job)

    def finish(self) -> list[Result]:
        """Wait until all that was sent is done; what was finished since results were asked for last.

        Raises:
            BaseException: whatever a job raised, as it was.
        """
        ended = threading.Event()
        self._jobs.put(ended.set)
        ended.wait()
        return self.results()

    def results(self) -> list[Result]:
        """What was finished since the last call.

        Raises:
            BaseException: whatever a job raised, as it was.
        """
        finished: list[Result] = []
        while not self._done.empty():
            os.read(self._read_fd, 1)
            result = self._done.get()
            if isinstance(result, BaseException):
                raise result
            finished.append(result)
        return finished

    def checkpoint(self) -> None:
        """A long job calls this now and then, so that closing need not wait for its end.

        Raises:
            ErrandsClosedError: the errands are being closed.
        """
        if self._closing.is_set():
            raise ErrandsClosedError

    def close(self) -> None:
        """Drop waiting jobs, wait until the one under way ends or comes to a checkpoint, and end the thread.

        The thread must not outlive the process' main thread: torch aborts where it is interrupted then.
        """
        self._closing.set()
        self._jobs.put(None)
        self._thread.join()
        os.close(self._read_fd)
        os.close(self._write_fd)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self.checkpoint()
                result: Result | BaseException | None = job()
            except BaseException as error:  # the loop's thread raises it again, so nothing is lost
                result = error
            if result is not None:
                self._done.put(result)
                os.write(self._write_fd, b".")
