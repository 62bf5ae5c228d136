"""One large file that a folder needs no more, kept to be written over by the next one of its kind.

Finding memory for a file's content takes the system as long as summing it (page by page, and blocks on the disk for
them); over pages that it has already, writing takes a fifth to a fifteenth of that. A folder has one spare at most.
"""

from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path

SPARE = ".spare"
"""No state has such a name: who lists a folder's states does not see it."""


def kept_or_removed(path: Path) -> None:
    """Let ``path`` be its folder's spare, unless somebody reads it yet, or it has another name: it is removed then.

    Raises:
        OSError: it could be neither renamed nor removed.
    """
    spare = path.with_name(SPARE)
    try:
        os.replace(path, spare)  # from here on nobody can open it who has not opened it before
    except FileNotFoundError:
        return
    if not _is_nobody_elses(spare):
        spare.unlink(missing_ok=True)


def taken(path: Path) -> bool:
    """Let the spare of ``path``'s folder be ``path``, with the bytes that it had; whether there was one."""
    try:
        os.rename(path.with_name(SPARE), path)
    except OSError:
        return False
    return True


def dropped(folder: Path) -> None:
    """Remove a folder's spare, if it has one."""
    (folder / SPARE).unlink(missing_ok=True)


def _is_nobody_elses(path: Path) -> bool:
    """Whether no process has the file open or mapped: the system grants a lease to write only then.

    False, too, where it cannot be known (file systems over a network, systems without leases).
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        with path.open("r+b") as file:
            fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # who opens it just now would end this process else
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            return os.fstat(file.fileno()).st_nlink == 1
    except OSError:
        return False
