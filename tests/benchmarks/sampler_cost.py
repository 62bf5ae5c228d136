"""What reading sensors costs: a sampler's processor time, memory and start, and how steady its samples come.

    .venv/bin/python tests/benchmarks/sampler_cost.py              at a made AGX Orin; half a minute
    .venv/bin/python tests/benchmarks/sampler_cost.py --root /     at this machine's own sensors, on a board

A benchmark, not a test: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).parent.parent))

from made_board import MadeBoard, waves

STARTS, SECONDS = 15, 8.0


def started(root: str, hz: float) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    command = [sys.executable, "-m", "harness.sensors.sampler", "--root", root, "--hz", str(hz)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, process.stdout


def first_sample_s(root: str) -> float:
    begin_s = time.monotonic()
    process, rows = started(root, 10.0)
    rows.readline(), rows.readline()
    taken_s = time.monotonic() - begin_s
    process.kill()
    process.wait()
    return taken_s


def steady(root: str, hz: float) -> str:
    """Processor time by the scheduler's own account, in nanoseconds."""
    process, rows = started(root, hz)
    rows.readline(), rows.readline()
    account = Path(f"/proc/{process.pid}/schedstat")
    begin_s, begin_ns, stamps = time.monotonic(), int(account.read_text().split()[0]), []
    while time.monotonic() < begin_s + SECONDS:
        if (line := rows.readline()).startswith(b"["):
            stamps.append(json.loads(line)[0])
    share = (int(account.read_text().split()[0]) - begin_ns) / 1e9 / (time.monotonic() - begin_s)
    status = Path(f"/proc/{process.pid}/status").read_text()
    megabytes = int(status.split("VmRSS:")[1].split()[0]) / 1024
    process.kill()
    process.wait()
    intervals = [right - left for left, right in pairwise(stamps)]
    return (
        f"{hz:g} Hz: {100 * share:.2f} % of a core, {megabytes:.1f} MiB, "
        f"interval {1000 * statistics.mean(intervals):.1f} ms in the mean, {1000 * max(intervals):.1f} at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", help="the folder in which sys and proc are; without it a made board's")
    wanted = parser.parse_args().root
    with tempfile.TemporaryDirectory() as folder:
        if wanted is None:
            MadeBoard(Path(folder)).show(waves)
        root = wanted or folder
        starts = [first_sample_s(root) for _ in range(STARTS)]
        print(f"first sample after {1000 * statistics.median(starts):.0f} ms (median of {STARTS})")
        for hz in (10.0, 20.0):
            print(steady(root, hz))


if __name__ == "__main__":
    main()
