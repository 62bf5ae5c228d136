"""The virtual fleet over Flower's simulation: the same model, data, cohorts, rows of each step and rate.

Both get two workers of one thread. federa-bench runs as a user runs it (data prepared, every event recorded, updates
and checkpoints hashed and on disk); Flower is given prepared data, passes states in memory, keeps its model in its
workers and logs nothing. *Steady* is the median time of a round, from the second one on, over the clients of a round,
without evaluation, which both sides do once at the end; *cold* is a whole process from its start to its end; *memory*
is what all processes of a side hold at once (PSS).

- *compute-bound*: real steps dominate: a RoBERTa of 3 layers and width 192, ten steps of 16 samples a client.
- *overhead-bound*: one step of 4 samples on a RoBERTa of one layer and width 32, 50 clients a round. federa-bench
  trains 25 of them as one batch (`simulation.fused_clients`), which Flower has nothing like; *one by one* is without.

Both sides must end with the same loss: a benchmark whose sides do different work measures nothing, and fails.
"""

from __future__ import annotations

import itertools
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import msgspec
from perf.base import Benchmark, Figure, Pace, Result, ratios
from perf.flower_place import python_of_flower, versions
from perf.flower_work import Load, encoded, experiment_of, job_of, make_model
from perf.tree_memory import watched

HERE = Path(__file__).resolve().parent
NEAR = 1e-4
"""Of a loss: two sides that do the same work differ by rounding alone."""
COMPUTE = Load("compute-bound", 3, 192, clients=8, per_round=4, rounds=6, batch_size=16, max_steps=10)
OVERHEAD = Load("overhead-bound", 1, 32, clients=100, per_round=50, rounds=16, batch_size=4, max_steps=1, fused=25)
SIDES = ("federa-bench", "Flower")
RAW = (("steady_ms", "steady", "ms a client"), ("cold_s", "cold", "s"), ("peak_mb", "memory", "MB"))
WATCHER = (
    "What watches the memory takes about 40 ms of processor time a look, at most four looks a second, on both sides "
    "alike: all of these seconds hold that."
)
QUIET = {"OMP_NUM_THREADS": "1", "FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0"}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a side tells: when each round had its state, the mean loss of each, and the test loss at the end."""

    round_s: tuple[float, ...]
    losses: tuple[float, ...]
    test_loss: float


@dataclass(frozen=True)
class Run:
    """One run of a side."""

    cold_s: float
    steady_ms: float
    peak_mb: float
    told: Told
    profile: str = ""


@dataclass
class Side:
    """One side of one workload: runs a program in a folder of its own each time, and keeps what it told."""

    command: Callable[[Path], list[str]]
    environ: Mapping[str, str]
    folder: Path
    clients: int
    runs: list[Run] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def run(self) -> float:
        """Once more; the steady milliseconds a client."""
        folder = self.folder / str(next(self.numbers))
        folder.mkdir(parents=True)
        seconds, peak_bytes = watched(self.command(folder), self.environ, folder / "log")
        told = msgspec.json.decode((folder / "result.json").read_bytes(), type=Told)
        steady_s = statistics.median(after - before for before, after in itertools.pairwise(told.round_s))
        self.runs.append(Run(seconds, steady_s / self.clients * 1e3, peak_bytes / 1e6, told, _text(folder / "profile")))
        shutil.rmtree(folder)
        return self.runs[-1].steady_ms


def run(pace: Pace) -> Result:
    """Both workloads, side by side.

    Raises:
        RuntimeError: Flower has no environment, a side failed, or the sides did different work.
    """
    flower = python_of_flower(pace.say)
    compute, overhead = (_quick(COMPUTE), _quick(OVERHEAD)) if pace.quick else (COMPUTE, OVERHEAD)
    with tempfile.TemporaryDirectory(prefix="flwr-") as temporary:  # Ray's sockets need a short path
        make = partial(_sides, pace, flower, Path(temporary))
        loads = {"compute-bound": (compute, {"at_most": 1.03}), "overhead-bound": (overhead, {"at_most": 0.25})}
        loads["overhead-bound, one by one"] = (replace(overhead, fused=1), {})
        figures, profiles = [], []
        for name, (load, limit) in loads.items():
            sides = make(load)
            found = _figures(name, sides, pace, limit)
            figures += found
            if any(figure.reached is False for figure in found):
                profiles.append(f"{name}: {_profile(sides[SIDES[0]])}")
    remark = f"Compared with {versions(flower)}. {WATCHER}"
    return Result(letter="f", figures=tuple(figures), remark=remark, profile="\n".join(profiles))


def _profile(side: Side) -> str:
    """Where our side's time goes, of one run more, under a profiler."""
    (side.folder.parent / "profiled").touch()
    side.run()
    return side.runs.pop().profile


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _sides(pace: Pace, flower: Path, temporary: Path, load: Load) -> dict[str, Side]:
    """The two sides of a workload; what both begin with is prepared once."""
    folder = pace.folder / f"{load.name}-{load.fused}"
    experiment = experiment_of(load, make_model(load, folder / "model"))
    (folder / "experiment.json").write_bytes(encoded(experiment))
    (folder / "job.json").write_bytes(encoded(job_of(experiment, folder) | {"temporary": str(temporary)}))
    environ = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")} | QUIET

    def ours(into: Path) -> list[str]:
        script, asked = str(HERE / "flower_ours.py"), str(folder / "experiment.json")
        return [sys.executable, script, asked, str(into / "runs"), str(into / "result.json"), *profiled(into)]

    def profiled(into: Path) -> list[str]:
        return [str(into / "profile")] if (folder / "profiled").exists() else []

    def theirs(into: Path) -> list[str]:
        return [str(flower), str(HERE / "flower_app" / "main.py"), str(into / "result.json")]

    job = {"FEDERA_BENCH_FLOWER_JOB": str(folder / "job.json")}
    return {
        "federa-bench": Side(ours, environ, folder / "ours", load.clients_trained),
        "Flower": Side(theirs, {**environ, **job}, folder / "theirs", load.clients_trained),
    }


def _figures(name: str, sides: dict[str, Side], pace: Pace, limit: Mapping[str, float]) -> list[Figure]:
    pace.say(name)
    pace.side_by_side({side: sides[side].run for side in SIDES})
    ours, theirs = (sides[side].runs[pace.warm_ups :] for side in SIDES)
    for one, other in zip(ours, theirs, strict=True):
        same_work(name, one.told, other.told)
    raw = [
        Figure(name=f"{name}: {what}, {side}", unit=unit, values=tuple(getattr(one, key) for one in runs))
        for key, what, unit in RAW
        for side, runs in zip(SIDES, (ours, theirs), strict=True)
    ]
    steady, cold, memory = (
        ratios([getattr(one, key) for one in ours], [getattr(one, key) for one in theirs])
        for key in ("steady_ms", "cold_s", "peak_mb")
    )
    return [
        *raw,
        Figure(name=f"{name}: steady, over Flower", unit="", values=steady, **limit),
        Figure(name=f"{name}: cold, over Flower", unit="", values=cold),
        Figure(name=f"{name}: memory, over Flower", unit="", values=memory),
    ]


def same_work(name: str, ours: Told, theirs: Told) -> None:
    """See that both sides learned the same.

    Raises:
        RuntimeError: a loss differs by more than rounding.
    """
    pairs = [*zip(ours.losses, theirs.losses, strict=True), (ours.test_loss, theirs.test_loss)]
    for number, (one, other) in enumerate(pairs, start=1):
        if not abs(one - other) <= NEAR * abs(other):
            what = f"round {number}" if number < len(pairs) else "the test"
            raise RuntimeError(
                f"{name}: the loss of {what} is {one:.6f} here and {other:.6f} in Flower: not the same work"
            )


def _quick(load: Load) -> Load:
    return replace(load, layers=1, width=32, clients=4, per_round=4, rounds=2, max_steps=1, fused=min(load.fused, 2))


BENCHMARK = Benchmark("f", "The virtual fleet over Flower's simulation", __doc__ or "", run)
