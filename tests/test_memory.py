"""How much memory a process says that it took: its own, and not that of who started it."""

from __future__ import annotations

import resource
import subprocess
import sys

from harness.learning.memory import peak_rss_bytes

MIB = 2**20
CHILD = "from harness.learning.memory import peak_rss_bytes; print(peak_rss_bytes())"
PARENT = f"""
import subprocess, sys
touched = bytearray(b"1") * (300 * {2**20})
print(subprocess.run([sys.executable, "-c", {CHILD!r}], capture_output=True, check=True, text=True).stdout)
"""


def test_a_small_process_of_a_large_one_tells_of_itself() -> None:
    said = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, check=True, text=True).stdout
    assert 5 * MIB < int(said) < 150 * MIB


def test_what_was_let_go_counts_still() -> None:
    touched = bytearray(b"1") * (64 * MIB)
    least = len(touched)
    del touched
    assert least < peak_rss_bytes() <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + MIB
