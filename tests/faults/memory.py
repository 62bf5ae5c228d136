"""A memory limit for one process, by a control group of version 1 or 2: the kernel itself kills what goes beyond it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path("/sys/fs/cgroup")


@contextmanager
def group_with_memory(limit_bytes: int) -> Iterator[Path]:
    """A control group whose processes may have so much between them; write their ids into its ``cgroup.procs``.

    The test is skipped where none can be made. What a process had before it came into the group does not count.
    """
    legacy = (ROOT / "memory").is_dir()
    group = (ROOT / "memory" if legacy else ROOT) / f"federa-bench-test-{os.getpid()}"
    limit = group / ("memory.limit_in_bytes" if legacy else "memory.max")
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no memory control group can be made here ({error.strerror})")
    try:
        if not limit.exists():
            pytest.skip("control groups have no memory controller here")
        limit.write_text(str(limit_bytes))
        with suppress(OSError):  # no swap beside it, where swap is accounted for
            (group / ("memory.memsw.limit_in_bytes" if legacy else "memory.swap.max")).write_text(
                str(limit_bytes if legacy else 0)
            )
        yield group
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            with suppress(OSError):
                (group.parent / "cgroup.procs").write_text(pid)
        group.rmdir()
