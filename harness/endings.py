"""How a run ends that does not end by itself: a signal, an error; each becomes a sentence, and stands in the header."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.errors import FULL, FederaBenchError, RunInterruptedError, StoreError
from harness.store import RunFolder


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM interrupts as SIGINT does; both only where signals arrive (the main thread)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def recording_failure(folder: RunFolder) -> Iterator[None]:
    """Write how the run ended into its header, where it did not end well.

    Raises:
        RunInterruptedError: for KeyboardInterrupt; says how to go on.
        StoreError: for an OSError of a full disk.
    """
    try:
        yield
    except KeyboardInterrupt:
        folder.mark("interrupted", "stopped by the user")
        raise RunInterruptedError(
            f"interrupted; what is recorded is kept. Go on with: federa-bench resume {folder.path}"
        ) from None
    except StoreError:
        raise  # the disk may be full: what stands there is the record
    except OSError as error:
        if error.errno not in FULL:
            raise
        # Of a copy that failed, the second file is the one that was written.
        raise folder.unwritten(error.filename2 or error.filename or folder.path, error) from error
    except FederaBenchError as error:
        folder.mark("failed", str(error))
        raise
