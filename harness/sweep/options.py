"""What the command line of a sweep says."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SweepOptions:
    """What the command line says. ``tune_seeds`` None: all seeds; ``tune_rounds`` None: as many as the test's.

    ``jobs`` None: one run at a time, or as many as the cluster ``ray`` has cores for.
    """

    profile: str = "quickstart"
    methods: str = "all"
    lrs: str = "grid"
    seeds: str = "0-4"
    tune_seeds: str | None = None
    jobs: int | None = None
    out: Path = Path("runs")
    data: Path | None = None
    models: Path | None = None
    rounds: int | None = None
    tune_rounds: int | None = None
    fleet: str | None = None
    ray: str | None = None
    sets: tuple[str, ...] = ()
    retry_failed: bool = False
    dry_run: bool = False
    as_json: bool = False

    @property
    def command(self) -> str:
        """The command line that asks for this sweep again."""
        words = ["federa-bench", "sweep", self.profile, "--methods", self.methods, "--lrs", self.lrs]
        words += ["--seeds", self.seeds]
        words += [] if self.fleet is None else ["--fleet", self.fleet]
        named = {
            "--tune-seeds": self.tune_seeds,
            "--rounds": self.rounds,
            "--tune-rounds": self.tune_rounds,
            "--data": self.data,
            "--models": self.models,
            "--out": None if self.out == Path("runs") else self.out,
            "--ray": self.ray,
            "--jobs": self.jobs,
        }
        for option, value in named.items():
            words += [] if value is None else [option, str(value)]
        for override in self.sets:
            words += ["--set", override]
        return shlex.join(words)
