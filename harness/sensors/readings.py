"""Small files of a device, read anew each time: sysfs gives a value at each opening. Null where one cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

LONGEST_BYTES = 4096


def text(path: str) -> str | None:
    """What stands in a file, without the white space around it (and without the NUL at the end of device trees')."""
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(file, LONGEST_BYTES).decode("utf-8", "replace").strip(" \n\t\0")
        finally:
            os.close(file)
    return None


def number(path: str) -> int | None:
    """The whole number in a file; null where there is none."""
    found = text(path)
    try:
        return None if found is None else int(found)
    except ValueError:
        return None


def folders(path: str, prefix: str) -> Iterator[str]:
    """The entries of a folder whose names begin so, in order of their names; none where there is no folder."""
    with suppress(OSError):
        for name in sorted(os.listdir(path), key=lambda name: (len(name), name)):
            if name.startswith(prefix):
                yield f"{path}/{name}"
