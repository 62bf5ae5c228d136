"""The list of devices that a controller allows: changed whole, under a lock, and read again while a run goes on."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from harness.durable import written_whole
from harness.errors import UsageError, not_written
from harness.keys.folder import alone, make_folder
from harness.keys.keyfile import KEY, Named, allowed_lines, with_line, without_key

log = logging.getLogger(__name__)

FILE = "allowed"


class AllowedList:
    """The file ``allowed`` of a folder of keys. One that is not there allows nobody."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def names(self) -> dict[str, str]:
        """Names by public key.

        Raises:
            UsageError: a line is damaged, or others may write the file.
        """
        return allowed_lines(self._text(), str(self.path))

    def add(self, named: Named) -> bool:
        """Allow a device; False where it was allowed before.

        Raises:
            UsageError: its name is allowed with another key, or its key with another name; or the file is damaged.
            StoreError: the list cannot be written.
        """
        make_folder(self.path.parent)
        with alone(self.path.parent):
            names = self.names()
            if names.get(named.key) == named.name:
                return False
            if named.key in names:
                raise UsageError(f"this key is allowed as {names[named.key]}; {_revoke(names[named.key])}")
            if named.name in names.values():
                raise UsageError(f"{named.name} is allowed with another key; {_revoke(named.name)}")
            self._write(with_line(self._text(), named))
        return True

    def remove(self, name_or_key: str) -> Named:
        """Allow a device no more; returns which.

        Raises:
            UsageError: there is no such name or key, or the file is damaged.
            StoreError: the list cannot be written.
        """
        if not self.path.parent.is_dir():
            raise self._unknown(name_or_key)
        with alone(self.path.parent):
            found = [Named(name, key) for key, name in self.names().items() if name_or_key in (name, key)]
            if not found:
                raise self._unknown(name_or_key)
            self._write(without_key(self._text(), found[0].key))
        return found[0]

    def _unknown(self, name_or_key: str) -> UsageError:
        what = "this key" if KEY.fullmatch(name_or_key) else name_or_key
        return UsageError(f"{what} is not in {self.path}; see who is with: federa-bench keys list")

    def _text(self) -> str:
        try:
            with self.path.open(encoding="utf-8") as file:
                if os.fstat(file.fileno()).st_mode & 0o022:
                    raise UsageError(f"{self.path} can be written by others, who could let anyone in; chmod 644 it")
                return file.read()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UsageError(f"{self.path} holds no text; write a name and a public key on each line") from None

    def _write(self, text: str) -> None:
        try:
            with written_whole(self.path) as partial:
                partial.write_text(text, encoding="utf-8")
                partial.chmod(0o644)
        except OSError as error:
            raise not_written(str(self.path), error, "give another --keys") from None


class WatchedList:
    """The list as a running controller sees it: read again when the file changed.

    One that is damaged by then changes nothing: the last good one counts, and the log says why, once.

    Raises:
        UsageError: the list is damaged at the start.
    """

    def __init__(self, allowed: AllowedList) -> None:
        self._allowed = allowed
        self._seen = self._stamp()
        self._names = allowed.names()

    def __call__(self) -> dict[str, str]:
        """Names by public key, as they are now."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._names = self._allowed.names()
            except UsageError as error:
                log.error("%s; until then the list counts as it was read last", error)
        return self._names

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self._allowed.path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode


def _revoke(name: str) -> str:
    return f"if that is meant to change, first: federa-bench keys revoke {name}"
