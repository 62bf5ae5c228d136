"""Values that threads make ahead of who takes them, in their order; with little memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Value = TypeVar("Value")

MOST_THREADS = 4
"""With more of them the hashing of what is made, in one thread, would not keep up."""


def made_ahead(makers: Sequence[Callable[[], Value]]) -> Generator[Value, None, None]:
    """What ``makers`` make, in their order: by a thread for each core, a few values ahead; a single one by the caller.

    They let go of the interpreter while they work, as numpy does. Who closes the iterator waits for those at work.
    What a maker raises is raised in its turn.
    """
    if len(makers) < 2:
        for make in makers:
            yield make()
        return
    threads = min(MOST_THREADS, cores())
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[Value]] = deque()
        try:
            for make in makers:
                ahead.append(pool.submit(make))
                if len(ahead) > threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for value in ahead:
                value.cancel()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
