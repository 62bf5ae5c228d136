"""Safetensors files that are there whole or not at all, and a full disk as what it is: an OSError."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from harness.durable import written_whole

SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


@contextmanager
def safetensors_written(path: Path) -> Iterator[Path]:
    """A partial file's path, for ``save_file``: it becomes ``path`` in one step when the block ends well.

    Raises:
        OSError: it could not be written. The library says it in an error of its own, with the number in its text.
    """
    try:
        with written_whole(path) as partial:
            yield partial
    except SafetensorError as error:
        found = SYSTEM_ERROR.search(str(error))
        if found is None:
            raise
        number = int(found.group(1))
        raise OSError(number, os.strerror(number), str(path)) from error
