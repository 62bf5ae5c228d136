"""A folder of keys: pairs that were made here, public keys that were copied here, and the list of who is allowed."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.durable import replace_whole
from harness.errors import UsageError, not_written
from harness.keys.keyfile import Named, public_line, secret_line, secret_text

if TYPE_CHECKING:  # commands that open no socket start without zmq
    from harness.transport import KeyPair

CONTROLLER = "controller"
AGENT = "agent"
"""What a service's own secret key is called among its credentials, whatever the device's name."""
FOLDER_VARIABLE, CREDENTIALS_VARIABLE = "FEDERA_BENCH_KEYS", "CREDENTIALS_DIRECTORY"


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where keys are unless --keys says otherwise: $FEDERA_BENCH_KEYS, else a folder of the user's configuration."""
    return expanded(Path(environ.get(FOLDER_VARIABLE) or "~/.config/federa-bench/keys"))


def expanded(path: Path) -> Path:
    """The path with ~ put in place.

    Raises:
        UsageError: there is no such home, as for a service whose user has none.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        raise UsageError(f"{path} cannot be found, for there is no such home; set $HOME, or give a path") from None


def credentials_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where systemd puts the credentials of this service; None outside of one that has some."""
    given = environ.get(CREDENTIALS_VARIABLE)
    return Path(given) if given else None


def make_pair(folder: Path, name: str) -> Named:
    """Make the key pair ``name``; returns its public half, which stands in ``name.public``.

    Raises:
        UsageError: there is one of that name.
        StoreError: it cannot be written.
    """
    from harness.transport import new_pair

    pair = new_pair()
    public = Named(name, pair.public)
    path = folder / f"{name}.secret"
    make_folder(folder)
    try:
        write_secret(path, name, pair)
        replace_whole(folder / f"{name}.public", f"{public.line}\n".encode())
    except FileExistsError:
        raise UsageError(
            f"{path} is there already; to replace it, move it away, and revoke its key where it is allowed"
        ) from None
    except OSError as error:
        raise not_written(str(folder), error, "give another --keys") from None
    return public


def make_folder(folder: Path) -> None:
    """Make a folder of keys, its owner's alone, where there is none.

    Raises:
        FederaBenchError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise not_written(str(folder), error, "give another --keys") from None


def write_secret(path: Path, name: str, pair: KeyPair) -> None:
    """Write a secret key into a new file that is its owner's alone from the first byte on.

    Raises:
        FileExistsError: there is a file.
        OSError: it cannot be written; then there is none.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(secret_text(name, pair.secret))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise


def read_secret(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[str, KeyPair]:
    """The name and the pair of a secret key, if it is a secret indeed. ``environ`` tells a credential of systemd.

    Raises:
        UsageError: it is not there, others may read it, or it is another user's or damaged.
    """
    from harness.transport import pair_of

    try:
        with open(path, encoding="ascii", opener=_at_once) as file:
            found = os.fstat(file.fileno())
            if reason := _unsafe(found, credential=path.parent == credentials_folder(environ)):
                raise UsageError(f"{path} {reason}")
            name, secret = secret_line(file.read(4096), str(path))
            return name, pair_of(secret)
    except OSError as error:
        raise UsageError(f"the secret key {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{path} is damaged; make a new key with: federa-bench keys new NAME") from None


def read_public(path: Path) -> Named:
    """The name and key of a ``.public`` file.

    Raises:
        UsageError: it is not there, or holds something else.
    """
    return public_line(read_text(path), str(path))


def read_text(path: Path) -> str:
    """A small text file.

    Raises:
        UsageError: it is not there, or no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} holds no text; give a file of keys") from None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: who changes files of it takes turns. Waits; ends with the process."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _at_once(path: str, flags: int) -> int:
    """Open a file without waiting for anybody, as a named pipe would have it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _unsafe(found: os.stat_result, *, credential: bool) -> str | None:
    """Why a secret is none. systemd may own a credential as root and let its service in by an access-control list,
    which shows as the group's bits: those count as the service's own in that folder.
    """
    owners, others = ((os.geteuid(), 0), 0o037) if credential else ((os.geteuid(),), 0o077)
    if not stat.S_ISREG(found.st_mode):
        return "is no file; give a file that ends in .secret"
    if found.st_uid not in owners:
        return "belongs to another user, who knows this key then; make one of your own: federa-bench keys new NAME"
    if found.st_mode & others:
        mode = stat.S_IMODE(found.st_mode)
        return f"can be read by others (mode {mode:04o}), so it may be secret no more; chmod 600 it, or make a new key"
    return None
