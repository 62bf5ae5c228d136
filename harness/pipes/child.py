"""The trainer process from inside: orders on stdin, answers on stdout, words on stderr.

The process ends at once when stdin does, even while it trains: a trainer never outlives who started it.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import TypeVar

from harness.pipes.frames import Frame, FrameBuffer, pack

READ_BYTES = 65536
OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""What torch's errors say, of any device's memory, where their type does not tell (torch 2.13)."""
OrderT = TypeVar("OrderT")


def out_of_memory(error: Exception) -> bool:
    """Whether memory was what an order lacked: the host's, or the accelerator's."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)


def serve(read_order: Callable[[bytes], OrderT], answers_to: Callable[[OrderT], Iterable[Frame]]) -> None:
    """Read orders from stdin and answer each on stdout, in their order, until stdin ends. Does not return."""
    answers_fd = os.dup(1)
    # Libraries print: whatever they say goes to stderr and cannot be mistaken for a frame.
    os.dup2(2, 1)
    orders: queue.SimpleQueue[OrderT] = queue.SimpleQueue()
    threading.Thread(target=_read_orders, args=(os.dup(0), read_order, orders), daemon=True).start()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    with os.fdopen(answers_fd, "wb", buffering=0) as answers:
        while True:
            for answer in answers_to(orders.get()):
                answers.write(pack(answer))
            with contextlib.suppress(OSError):
                sys.stderr.flush()


def _read_orders(fd: int, read_order: Callable[[bytes], OrderT], orders: queue.SimpleQueue[OrderT]) -> None:
    """Orders from the pipe, until it ends, and the process with it: else nobody would hear of an order in vain."""
    buffer = FrameBuffer()
    try:
        while data := os.read(fd, READ_BYTES):
            for body in buffer.feed(data):
                orders.put(read_order(body))
    except Exception:
        with contextlib.suppress(OSError):  # the disk that takes the log may be full
            traceback.print_exc()
        os._exit(1)
    os._exit(0)
