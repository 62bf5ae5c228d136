"""The sampler process itself: light, steady, and gone when nobody reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from made_board import MadeBoard, waves

COMMAND = (sys.executable, "-m", "harness.sensors.sampler")


def test_it_imports_nothing_heavy(tmp_path: Path) -> None:
    program = "import sys, harness.sensors.sampler; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"torch", "pandas", "numpy", "msgspec", "psutil", "zmq", "jtop", "pynvml", "asyncio", "multiprocessing"}
    assert "harness.sensors.sampler" in loaded
    assert not heavy & set(loaded)


def test_rows_come_on_the_grid_of_the_first_one(tmp_path: Path) -> None:
    MadeBoard(tmp_path).show(waves)
    process = subprocess.Popen([*COMMAND, "--root", str(tmp_path), "--hz", "40"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    layout = json.loads(process.stdout.readline())
    rows = [json.loads(process.stdout.readline()) for _ in range(80)]
    process.stdout.close()
    assert process.wait(30) == 0, "it ends when nobody reads"
    assert all(len(row) == len(layout["fields"]) for row in rows)
    stamps = [row[0] for row in rows]
    assert all(left < right for left, right in pairwise(stamps))
    on_grid = max(
        sum(abs((at_s - one_s) * 40 - round((at_s - one_s) * 40)) < 0.25 for at_s in stamps) for one_s in stamps
    )
    assert on_grid > len(stamps) / 2, "most are whole intervals apart, the last as well as the first"


def test_rails_are_read_each_time_and_the_rest_twice_a_second(tmp_path: Path) -> None:
    MadeBoard(tmp_path).show(waves)
    process = subprocess.Popen([*COMMAND, "--root", str(tmp_path), "--hz", "40"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    fields = json.loads(process.stdout.readline())["fields"]
    rows = [dict(zip(fields, json.loads(process.stdout.readline()), strict=True)) for _ in range(41)]
    process.stdout.close()
    process.wait(30)
    assert all(row["total_w"] is not None for row in rows)
    assert [number for number, row in enumerate(rows) if row["gpu_hz"] is not None] == [0, 20, 40]
