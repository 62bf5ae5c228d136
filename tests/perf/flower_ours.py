"""federa-bench's side of benchmark f, in a process of its own: a virtual run, and when each of its rounds was done.

python tests/perf/flower_ours.py experiment.json DIR result.json [PROFILE]

PROFILE is a file for what a profiler saw of the controller, and what the clients' phases took.
"""

from __future__ import annotations

import cProfile
import io
import pstats
import sys
import time
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder: its modules are perf.base and so on

import msgspec
from perf.flower_work import METHOD

from harness.bench import RunOptions, carry_on, new_run
from harness.learning.workload import Sources
from harness.profiles import build
from harness.records import ClientRecord
from harness.rounds.events import Aggregated, AnyEvent
from harness.rounds.machine import RoundMachine


class Stopwatch:
    """Sees when rounds have their state, on this process' monotonic clock."""

    def __init__(self) -> None:
        self.round_s: list[float] = []

    def say(self, line: str) -> None:
        """Nobody reads it."""

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        if isinstance(event, Aggregated):
            self.round_s.append(time.perf_counter())


def profile_of(profiler: cProfile.Profile, records: Sequence[ClientRecord]) -> str:
    """What the trainings took, by phase, and the controller's functions that took most."""
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(20)
    cpu_s = sum(record.train_cpu_s or 0.0 for record in records)
    phases = {"loading": "load_s", "training": "train_s", "saving": "serialise_s"}
    told = ", ".join(
        f"{what} {sum(getattr(record, key) or 0.0 for record in records):.3f} s" for what, key in phases.items()
    )
    return f"{len(records)} trainings in processes: {told}; processor {cpu_s:.3f} s. The controller:\n{text.getvalue()}"


def main() -> None:
    experiment_file, out, result = map(Path, sys.argv[1:4])
    experiment = build(msgspec.json.decode(experiment_file.read_bytes()), str(experiment_file))
    options, screen = RunOptions(out=out), Stopwatch()
    folder = new_run(experiment, METHOD, Sources(), options)
    profiler = cProfile.Profile()
    if len(sys.argv) > 4:
        profiler.enable()
    carry_on(folder, options, screen)
    profiler.disable()
    records = folder.read_clients()
    if len(sys.argv) > 4:
        Path(sys.argv[4]).write_text(profile_of(profiler, records), encoding="utf-8")
    losses = [
        sum(loss for loss in found if loss is not None) / len(found)
        for number in range(1, experiment.rounds.count + 1)
        if (found := [record.loss for record in records if record.round == number])
    ]
    told = {
        "round_s": screen.round_s,
        "losses": losses,
        "test_loss": folder.read_rounds()[-1].metrics["loss"],
        "state": str(folder.checkpoint(experiment.rounds.count)),
    }
    result.write_bytes(msgspec.json.encode(told))


if __name__ == "__main__":
    main()
