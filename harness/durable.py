"""Writing files so that a reader, or a later process, finds a whole thing or nothing of it. Errors are OSError.

What is written is safe from a process that dies at once. A machine that loses power forgets what was not *synced*: what
a run goes on from is, before it gets its name; what can be made again is not, because a disk takes milliseconds for it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from harness.errors import FULL, StoreError

GLANCE_S = 0.5
"""Who only asks whether a file is locked holds it for a moment: for so long its lock is tried again."""


def unwritten(path: Path | str, error: OSError, run: str = "") -> StoreError:
    """What to tell a person where a file of a run could not be written, for the caller to raise."""
    why = "the disk is full" if error.errno in FULL else error.strerror or "the system refused"
    remedy = "free space" if error.errno in FULL else "mend that"
    return StoreError(
        f"{why}: {path} could not be written; what was recorded before is kept; "
        f"{remedy}, then: {f'federa-bench resume {run}'.strip()}"
    )


def append_whole(path: Path, data: bytes) -> None:
    """Append ``data`` in one write, or nothing of it.

    Raises:
        OSError: it could not be written whole; the file is as it was.
    """
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        before_bytes = os.fstat(fd).st_size
        try:
            written_bytes = os.write(fd, data)
            if written_bytes < len(data):  # a disk that fills up takes what still fits, and says nothing
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            if os.fstat(fd).st_size > before_bytes:
                os.ftruncate(fd, before_bytes)
            raise
    finally:
        os.close(fd)


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk: they outlast a loss of power.

    Raises:
        OSError: the disk could not take them; what was written before may be lost.
    """
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def written_whole(path: Path, *, synced: bool = False) -> Iterator[Path]:
    """A partial file's path, to be written in the block: it becomes ``path`` in one step when the block ends well.

    A block that ends in an error leaves ``path`` as it was, and nothing beside it. ``synced``: it gets its name when
    it is on the disk, and the name is there for good.
    """
    partial = path.with_name(f".{path.name}.part")
    try:
        yield partial
        if synced:
            sync(partial)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if synced:
        sync(path.parent)


def replace_whole(path: Path, data: bytes, *, synced: bool = False) -> None:
    """Replace a file's content in one step: a reader sees the old one or the new one. ``synced``: also after a loss of
    power.

    Raises:
        OSError: it could not be written; the file is as it was.
    """
    with written_whole(path, synced=synced) as partial:
        partial.write_bytes(data)


def copy_whole(source: Path, target: Path, *, synced: bool = False) -> None:
    """Copy a file; ``target`` appears when it is complete, and with ``synced`` stays after a loss of power.

    Raises:
        OSError: it could not be written; nothing appears.
    """
    with written_whole(target, synced=synced) as partial:
        shutil.copyfile(source, partial)


def cut_torn_line(path: Path) -> None:
    """Cut off what follows the last line's end: a line that a loss of power tore."""
    with path.open("r+b") as file:
        data = file.read()
        whole_bytes = data.rfind(b"\n") + 1
        if whole_bytes < len(data):
            file.truncate(whole_bytes)


def taken_alone(file: IO[str]) -> bool:
    """Lock an open file for this process alone, until it is closed; whether nobody else writes it."""
    limit_s = time.monotonic() + GLANCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= limit_s:
                return False
            time.sleep(GLANCE_S / 50)
        else:
            return True
