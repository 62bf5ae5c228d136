"""A disk that is full, without a disk: files of this process and its children end at a size."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def files_of(size_bytes: int) -> Iterator[None]:
    """No file grows beyond ``size_bytes`` in the block. Not as a fixture: pytest writes its own output between them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
