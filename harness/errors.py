"""Errors that end in one clear sentence.

    FederaBenchError            exit code 1: the run failed
    ├── UsageError              exit code 2: bad usage, profile, data folder
    │   └── ProfileError        a profile or an override is not valid
    ├── NoAgentsError           exit code 3: no agents came in time
    ├── RunInterruptedError       exit code 130: stopped by the user, resumable
    ├── StoreError              a record could not be written or read
    ├── TransportError          a socket could not be opened or used
    ├── BlobError               bytes do not match their hash, size or format
    ├── DeployError             a device could not be set up or cleared
    ├── ShapingError            the kernel cannot keep the link
    └── TrainerError            local training failed

Every message says what is wrong, where, and what to do. The command line prints it as it stands and exits with
``exit_code``; a traceback is shown with ``--debug`` alone.
"""

from __future__ import annotations

import errno

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A disk, a user's share of it, or a file can take no more."""


class FederaBenchError(Exception):
    """Base of all errors that a user is meant to read."""

    exit_code: int = 1


class UsageError(FederaBenchError):
    """The command, a profile, or a folder it names is wrong; nothing was started."""

    exit_code = 2


class ProfileError(UsageError):
    """A profile or an override is not valid; names the file, the key and what is allowed."""


class NoAgentsError(FederaBenchError):
    """No agent came within the time limit."""

    exit_code = 3


class RunInterruptedError(FederaBenchError):
    """The user stopped the run; its folder can be resumed."""

    exit_code = 130


class StoreError(FederaBenchError):
    """A record could not be written or read; what was recorded before is kept."""


class TransportError(FederaBenchError):
    """A socket could not be opened or used."""


class BlobError(FederaBenchError):
    """Bytes that arrived do not match their hash, size or format."""


class ShapingError(FederaBenchError):
    """The kernel cannot keep the link of a profile, or its privileged helper is not there."""


class TrainerError(FederaBenchError):
    """Local training or evaluation failed."""


class DeployError(FederaBenchError):
    """A device could not be set up, or cleared, over ssh; says what was left as it was."""


def not_written(what: str, error: OSError, instead: str) -> FederaBenchError:
    """The error for what cannot be written; bad usage where a file and a folder were taken for each other.

    ``instead`` is what to do, such as "give another --out".
    """
    if isinstance(error, FileExistsError | NotADirectoryError):
        return UsageError(f"{what} cannot be written: a file stands where a folder should be; {instead}")
    if isinstance(error, IsADirectoryError):
        return UsageError(f"{what} cannot be written: a folder stands where a file should be; {instead}")
    if error.errno in FULL:
        return StoreError(f"the disk is full: {what} cannot be written; free space or {instead}")
    return StoreError(f"{what} cannot be written ({error.strerror}); mend that or {instead}")
