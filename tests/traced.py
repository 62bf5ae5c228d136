"""What a program asks of the system, as strace sees it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CALL = re.compile(r"(?:\d+ +)?(\w+)\((.*?)[,)]")


def syscalls_of(program: str, names: str, cwd: Path) -> list[tuple[str, str]]:
    """Name and first argument of each system call of ``program`` (Python) among ``names``, in order.

    Descriptors are told with their paths.
    """
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("seeing system calls takes strace")
    told = cwd.parent / f"{cwd.name}.strace"
    subprocess.run(
        [strace, "-f", "-y", "-e", f"trace={names}", "-o", str(told), sys.executable, "-B", "-c", program],
        cwd=cwd,
        check=True,
    )
    found = (CALL.match(line) for line in told.read_text().splitlines())
    return [(call.group(1), call.group(2)) for call in found if call]
