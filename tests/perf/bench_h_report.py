"""How long the report of a whole study takes, and how large it is."""

from __future__ import annotations

import cProfile
import io
import os
import pstats
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import device_runs
import msgspec
import numpy as np
import run_folders
from benchtools import command
from perf.base import Benchmark, Figure, Pace, Result

from analysis.load import Run
from harness.records import RoundRecord

MOST_S, MOST_MB = 10.0, 8.0


@dataclass
class Reports:
    """Of one kind of runs: megabytes of each report's page, and of the process that wrote it."""

    page_mb: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)


def run(pace: Pace) -> Result:
    """Both kinds of runs are written once, and reported in turns."""
    seeds, rounds = (2, 40) if pace.quick else (5, 1000)
    kinds = {"virtual": pace.folder / "virtual", "boards": pace.folder / "boards"}
    pace.say(f"writing runs of {len(run_folders.DEMO)} methods, {seeds} seeds, {rounds:,} rounds")
    _write_virtual(kinds["virtual"], seeds, rounds)
    _write_boards(kinds["boards"], seeds, rounds)
    found = {kind: Reports() for kind in kinds}
    seconds = pace.side_by_side({kind: _reporting(folder, found[kind]) for kind, folder in kinds.items()})
    figures = [
        figure
        for kind, words in (("virtual", "virtual runs"), ("boards", "runs of boards"))
        for figure in (
            Figure(name=f"report of {words}", unit="s", values=tuple(seconds[kind]), at_most=MOST_S),
            Figure(name=f"its page, {words}", unit="MB", values=pace.counted(found[kind].page_mb), at_most=MOST_MB),
            Figure(name=f"memory at most, {words}", unit="MB", values=pace.counted(found[kind].memory_mb)),
        )
    ]
    missed = any(figure.reached is False for figure in figures)
    return Result(
        letter="h", figures=tuple(figures), remark=REMARK, profile=_profile(kinds["boards"]) if missed else ""
    )


def _reporting(runs: Path, found: Reports) -> Callable[[], float]:
    """What writes the report of these runs, tables and all, by a new process; returns the seconds from start to end."""
    page = runs.parent / f"{runs.name}-report.html"

    def report() -> float:
        begun_s = perf_counter()
        process = subprocess.Popen(command("report", str(runs), "--out", str(page)), stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        ended_s = perf_counter()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"the report ended with {process.returncode}")
        found.page_mb.append(page.stat().st_size / 1e6)
        found.memory_mb.append(1024 * used.ru_maxrss / 1e6)
        return ended_s - begun_s

    return report


def _write_virtual(folder: Path, seeds: int, rounds: int) -> None:
    """Runs of all methods with 40 clients, four a round, and what each of them holds."""
    of, holding = run_folders.experiment(rounds={"count": rounds}), run_folders.partition()
    for method in run_folders.DEMO:
        for seed in range(seeds):
            made = run_folders.demo(method, rounds, seed, of, holding)
            run_folders.write(folder / made.header.run_id, _uneven(made))


def _write_boards(folder: Path, seeds: int, rounds: int) -> None:
    """Runs of three boards with all that these tell: events, stamps of phases, joules and heat of each update."""
    for method in run_folders.DEMO:
        for seed in range(seeds):
            made = _uneven(device_runs.run(method, rounds=rounds, seed=seed))
            run_folders.write(folder / made.header.run_id, made)
            events = msgspec.json.Encoder().encode_lines(list(made.events))
            (folder / made.header.run_id / "events.jsonl").write_bytes(events)


def _uneven(made: Run) -> Run:
    """The run with metrics of as many digits as measured ones have: those of made runs are short, and so is a page."""
    chance = np.random.default_rng([made.header.seed, len(made.header.method)])
    noise = chance.normal(scale=1e-3, size=len(made.rounds)).tolist()
    return replace(made, rounds=tuple(_noisy(record, off) for record, off in zip(made.rounds, noise, strict=True)))


def _noisy(record: RoundRecord, off: float) -> RoundRecord:
    return msgspec.structs.replace(record, metrics={name: value + off for name, value in record.metrics.items()})


def _profile(runs: Path) -> str:
    """Where a report's seconds go, in this process."""
    from analysis.cli import main

    profile, told = cProfile.Profile(), sys.stdout
    sys.stdout = io.StringIO()
    try:
        profile.runcall(main, [str(runs), "--out", str(runs.parent / "profiled.html")])
    finally:
        sys.stdout = told
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(20)
    return text.getvalue()


REMARK = (
    "The size is that of the page, which holds plotly.js (4.8 MB); tables as CSV, Markdown and LaTeX are written too, "
    "within the seconds. Telemetry files are no part of a report, and none are written here."
)
BENCHMARK = Benchmark(
    letter="h",
    title="The report of a study",
    what=(
        "`federa-bench report` of 25 made runs, 5 methods x 5 seeds x 1,000 rounds, four clients a round, as a process "
        "from its start to its end: once of virtual runs with 40 clients each, and once of runs of boards, whose "
        "records have energy, heat and stamps of each phase, and which have their events."
    ),
    run=run,
)
