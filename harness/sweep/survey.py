"""How far a sweep is: every run of it, what is chosen, what is left. Read from the run folders, at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from harness.profiles import Method
from harness.sweep.choice import Outcome, chosen_lrs
from harness.sweep.folder import Standing, State, SweepFolder
from harness.sweep.plan import Plan, Stage
from harness.sweep.results import Row, rows


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a sweep. ``lr`` is null while it is to be chosen, ``best`` while nothing is known."""

    stage: Stage
    method: Method
    lr: float | None
    seed: int
    state: State
    rounds_done: int
    rounds: int
    best: float | None = None
    path: str | None = None
    reason: str | None = None


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep as programs read it."""

    sweep: str
    path: str
    done: int
    failed: int
    left: int
    runs: tuple[RunLine, ...]
    results: tuple[Row, ...]


@dataclass(frozen=True)
class Survey:
    """The runs as they stand. ``open_tests`` are those whose rate is still to be chosen: (method, seed)."""

    plan: Plan
    validation: tuple[Standing, ...]
    chosen: dict[Method, float]
    test: tuple[Standing, ...]
    open_tests: tuple[tuple[Method, int], ...]

    @property
    def standings(self) -> tuple[Standing, ...]:
        """All runs that are known."""
        return (*self.validation, *self.test)

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """How the runs ended that did."""
        return tuple(one.outcome for one in self.standings if one.outcome is not None)

    def count(self, state: State) -> int:
        """How many runs are in a state."""
        return sum(one.state == state for one in self.standings)

    @property
    def total(self) -> int:
        """How many runs the sweep has."""
        return len(self.standings) + len(self.open_tests)

    @property
    def left(self) -> int:
        """How many have not ended."""
        return self.total - len(self.outcomes)

    @property
    def rounds_left(self) -> int:
        """Rounds that are still to be run."""
        tests = sum(self.plan.experiments[seed].rounds.count for _, seed in self.open_tests)
        return tests + sum(one.rounds_left for one in self.standings)

    @property
    def hopeless(self) -> tuple[Method, ...]:
        """Methods of which no validation run is done, though all ended: they have no rate, and are not tested."""
        waiting = {method for method, _ in self.open_tests}
        return tuple(
            method for method in self.plan.asked.methods if method not in waiting and method not in self.chosen
        )

    @property
    def rows(self) -> tuple[Row, ...]:
        """What was found so far."""
        return rows(self.plan.asked, self.outcomes, self.chosen)

    def overview(self, folder: SweepFolder) -> Overview:
        """All of it for programs."""
        return Overview(
            sweep=folder.path.name,
            path=str(folder.path),
            done=self.count("done"),
            failed=self.count("failed"),
            left=self.left,
            runs=(*map(_line, self.standings), *(self._open(method, seed) for method, seed in self.open_tests)),
            results=self.rows,
        )

    def _open(self, method: Method, seed: int) -> RunLine:
        rounds = self.plan.experiments[seed].rounds.count
        return RunLine(stage="test", method=method, lr=None, seed=seed, state="left", rounds_done=0, rounds=rounds)


def survey(folder: SweepFolder, plan: Plan) -> Survey:
    """Look at the run folders of a sweep; there need not be any.

    Raises:
        StoreError: one cannot be read.
    """
    validation = folder.standings(plan.validation())
    outcomes = [one.outcome for one in validation if one.outcome is not None]
    chosen = chosen_lrs(plan.asked, outcomes)
    unended = {one.planned.method for one in validation if one.outcome is None}
    return Survey(
        plan=plan,
        validation=tuple(validation),
        chosen=chosen,
        test=tuple(folder.standings(plan.test(chosen))),
        open_tests=tuple(
            (method, seed) for seed in plan.asked.seeds for method in plan.asked.methods if method in unended
        ),
    )


def _line(standing: Standing) -> RunLine:
    planned, outcome = standing.planned, standing.outcome
    return RunLine(
        stage=planned.stage,
        method=planned.method,
        lr=planned.lr,
        seed=planned.seed,
        state=standing.state,
        rounds_done=standing.rounds_done,
        rounds=planned.experiment.rounds.count,
        best=outcome.best if outcome else None,
        path=str(standing.folder.path) if standing.folder else None,
        reason=outcome.reason if outcome else None,
    )


def left_s(spent_s: Sequence[float], spent_rounds: Sequence[int], rounds_left: int, jobs: int) -> float | None:
    """Seconds left, from the mean seconds of a round of the runs so far; null before one has ended."""
    if not sum(spent_rounds):
        return None if rounds_left else 0.0
    return sum(spent_s) / sum(spent_rounds) * rounds_left / jobs
