"""What comes back from a cluster: put here by Ray's threads, taken by the one that waits for it or for other things."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What a trainer answered, or why it was lost; ``ready``: its model had been built before."""

    trainer: int
    ready: bool
    answer: Any
    lost: str | None


class Answers:
    """A queue that descriptors can be waited for with."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._open = True
        self._ears_fd, self._bell_fd = os.pipe()
        os.set_blocking(self._ears_fd, False)
        os.set_blocking(self._bell_fd, False)

    def put(self, answer: Answer) -> None:
        """From any thread; nobody hears of it any more where this is closed."""
        self._queue.put(answer)
        with self._lock, contextlib.suppress(BlockingIOError):  # a pipe that is full rings already
            if self._open:
                os.write(self._bell_fd, b"!")

    def wait(self, timeout_s: float, wake_fds: Sequence[int]) -> list[Answer]:
        """All that came since the last call; waits for the first, for a descriptor of ``wake_fds``, or no longer."""
        ready, _, _ = select.select([self._ears_fd, *wake_fds], [], [], timeout_s)
        if self._ears_fd in ready:
            os.read(self._ears_fd, 4096)
        answers = []
        while not self._queue.empty():
            answers.append(self._queue.get())
        return answers

    def close(self) -> None:
        """Descriptors are closed; answers that come late are dropped."""
        with self._lock:
            self._open = False
            os.close(self._ears_fd)
            os.close(self._bell_fd)
