"""What reading sensors beside the rounds costs them: rounds of the null trainer with samples and without.

    .venv/bin/python tests/benchmarks/telemetry_cost.py              two agents on loopback; some eight minutes
    .venv/bin/python tests/benchmarks/telemetry_cost.py --pairs 20

The agents read made boards, whose rails are read ten times a second; the controller reads this machine. The runs of a
pair follow each other, each first in every other pair, so that what else the machine does falls on both. Rounds of a
null trainer are as short as rounds can be: a tenth of a second of transfers and of keeping what came.
A benchmark, not a test: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchtools import command, only_run, rounds
from made_board import MadeBoard, waves

HZ = 10.0
AGENTS = ("made-01", "made-02")
CONTROLLER = "tcp://127.0.0.1:5591"
SETTLED_S = 8.0
"""Rounds before are left out: doctors look at the machine, sensors start, nothing is in any cache."""


class Cost(NamedTuple):
    """Of one run: wall seconds of its rounds, and processor seconds of all its processes, their start included."""

    wall_s: tuple[float, ...]
    processor_s: float


def cost(folder: Path, hz: float, count: int) -> Cost:
    """Run it, from its start to its end. ``folder`` has the tree of a board."""
    before = os.times()
    runs = folder / f"runs-{hz:g}"
    words = ["--agents", str(len(AGENTS)), "--rounds", str(count), "--set", f"record.telemetry_hz={hz}"]
    run = command("run", "null", "--external", "--bind", CONTROLLER, *words, "--out", str(runs))
    agents = [subprocess.Popen(agent(folder, name), stderr=subprocess.DEVNULL) for name in AGENTS]
    subprocess.run(run, cwd=folder, check=True, capture_output=True)
    for process in agents:
        process.wait()
    after = os.times()
    found = tuple(one.wall_s for one in rounds(only_run(runs)) if one.elapsed_s > SETTLED_S)
    return Cost(found, sum(after[2:4]) - sum(before[2:4]))


def agent(folder: Path, name: str) -> list[str]:
    """The command of an agent of one run."""
    where = ["--sys-root", str(folder / "board"), "--cache", str(folder / name)]
    return command("agent", "--connect", CONTROLLER, "--name", name, "--once", *where)


def compared(quiet: list[Cost], sampled: list[Cost]) -> str:
    """Medians of rounds, their ratio, and that of each pair's."""
    without_s, with_s = ([s for run in runs for s in run.wall_s] for runs in (quiet, sampled))
    pairs = sorted(
        statistics.median(b.wall_s) / statistics.median(a.wall_s) for a, b in zip(quiet, sampled, strict=True)
    )
    processor_s = [statistics.median(run.processor_s for run in runs) for runs in (quiet, sampled)]
    return (
        f"a round, without samples and at {HZ:g} Hz:\n"
        f"median: {_beside(statistics.median(without_s), statistics.median(with_s))}\n"
        f"fastest: {_beside(min(without_s), min(with_s))}\n"
        f"pairs: median {statistics.median(pairs):.4f}, from {pairs[0]:.4f} to {pairs[-1]:.4f}\n"
        f"processor, all processes of a run: {processor_s[0]:.2f} and {processor_s[1]:.2f} s"
    )


def _beside(without_s: float, with_s: float) -> str:
    return f"{1000 * without_s:.1f} and {1000 * with_s:.1f} ms, ratio {with_s / without_s:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=8)
    told = f"in each run; those of its first {SETTLED_S:g} s are left out"
    parser.add_argument("--rounds", type=int, default=150, help=told)
    options = parser.parse_args()
    found: dict[float, list[Cost]] = {0.0: [], HZ: []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.pairs):
            pair = Path(folder) / str(number)
            MadeBoard(pair / "board").show(waves)
            for hz in (0.0, HZ) if number % 2 else (HZ, 0.0):
                found[hz].append(cost(pair, hz, options.rounds))
    print(compared(found[0.0], found[HZ]))


if __name__ == "__main__":
    main()
