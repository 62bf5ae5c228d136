"""What the sweep's tests share: small plans, and workers that run nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from run_folders import experiment as made_up
from run_folders import header, round_record

from harness.profiles import Experiment, Method
from harness.store import RunFolder
from harness.sweep.folder import Standing, SweepFolder
from harness.sweep.plan import Asked, Plan, Planned, asked_of

RATES = (4e-3, 1e-3)


def with_seed(seed: int) -> Experiment:
    """The made-up experiment of two rounds."""
    return made_up(rounds={"count": 2}, seeds={"training": seed, "cohort": seed})


def asked(
    methods: Sequence[Method] = ("fedlr", "federa"),
    rates: Sequence[float] | None = RATES,
    seeds: Sequence[int] = (0, 1),
    tune_seeds: Sequence[int] | None = None,
    tune_rounds: int | None = None,
    experiment: Experiment | None = None,
    data: str | None = None,
) -> Asked:
    """What a sweep of 2 methods, 2 rates and 2 seeds asks for."""
    tuned = seeds if tune_seeds is None else tune_seeds
    return asked_of(experiment or with_seed(0), methods, rates, seeds, tuned, tune_rounds, data, None)


def plan(of: Asked | None = None) -> Plan:
    """The runs of it."""
    return Plan(of or asked(), {seed: with_seed(seed) for seed in range(10)})


def begun(root: Path, planned: Planned, name: str = "") -> RunFolder:
    """The folder of a run that has just been made."""
    run_id = name or f"run-{sum(1 for _ in root.glob('*'))}" if root.exists() else name or "run-0"
    folder = RunFolder.create(root, run_id)
    folder.write_header(header(planned.method, planned.seed, of=planned.experiment, run_id=run_id, state="running"))
    return folder


def ended(folder: RunFolder, metrics: Sequence[float], state: str = "done", reason: str | None = None) -> RunFolder:
    """The same after a round for each metric."""
    for number, metric in enumerate(metrics, start=1):
        folder.append_round(round_record(number, metric))
    folder.write_header(msgspec.structs.replace(folder.read_header(), state=state, reason=reason))
    return folder


@dataclass
class Ended:
    """A process that has ended."""

    code: int

    def poll(self) -> int | None:
        return self.code


@dataclass
class Scripted:
    """Workers that do with a run folder what they are told to, at once, and note its name."""

    act: Callable[[RunFolder], int]
    started: list[str] = field(default_factory=list)

    def start(self, folder: RunFolder, log: Path) -> Ended:
        self.started.append(folder.path.name)
        return Ended(self.act(folder))


@dataclass
class Noted:
    """A watcher that notes what it is told."""

    told: list[str] = field(default_factory=list)

    def began(self, standing: Standing) -> None:
        self.told.append(f"began {standing.planned.title}")

    def left_to_another(self, standing: Standing) -> None:
        self.told.append(f"waiting {standing.planned.title}")

    def ended(self, standing: Standing, seconds: float, rounds: int) -> None:
        self.told.append(f"{standing.state} {standing.planned.title}, {rounds} rounds")


def opened(root: Path, of: Asked | None = None) -> SweepFolder:
    """A sweep's folder on disk."""
    folder = SweepFolder(root, of or asked())
    with folder.locked():
        return folder
