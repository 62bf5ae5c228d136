"""Runs on real agents as they are measured: which may be, and which go together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, cast

from harness.errors import UsageError
from harness.profiles import Experiment, Method, Setting
from harness.records import ClientRecord, Header, RoundRecord

MACHINE = ("machine", "cpu", "cores")
"""The keys of a header's environment that tell one kind of machine from another."""


class Recorded(NamedTuple):
    """What a run recorded, closed rounds alone; ``name`` is its folder, as errors say it."""

    name: str
    experiment: Experiment
    header: Header
    rounds: tuple[RoundRecord, ...]
    clients: tuple[ClientRecord, ...]

    @property
    def setting(self) -> Setting:
        """What the run is looked up by in tables of seconds."""
        return self.experiment.setting(cast("Method", self.header.method))

    def only(self, fits: Callable[[int], bool]) -> Recorded:
        """The run as if it had had no rounds but those whose number fits."""
        return self._replace(
            rounds=tuple(record for record in self.rounds if fits(record.round)),
            clients=tuple(record for record in self.clients if fits(record.round)),
        )


def check(runs: Sequence[Recorded]) -> None:
    """See that each run has something to measure, and that all are of one device and one link.

    Raises:
        UsageError: a run has nothing to measure, or two do not go together; says which, and why.
    """
    for run in runs:
        if run.experiment.virtual:
            raise UsageError(
                f"{run.name} is a run of a virtual fleet, so its seconds are those of profiles; measure a run on agents"
            )
        if not run.rounds or not run.clients:
            raise UsageError(
                f"{run.name} has no closed round with an update, so there is nothing to measure; "
                f"go on with it: federa-bench resume {run.name}"
            )
    for run in runs[1:]:
        why = _difference(runs[0], run)
        if why:
            raise UsageError(f"{runs[0].name} and {run.name} {why}; measure them one by one, with --out for each")


def disturbed(runs: Sequence[Recorded]) -> tuple[str, ...]:
    """A sentence where updates were disturbed: they are not measured, but a replay is held against them all."""
    records = [record for run in runs for record in run.clients]
    count = sum(not record.undisturbed for record in records)
    if not count:
        return ()
    which = f"{count} of {len(records)} updates" if len(records) > 1 else "the one update"
    out = "left out of what is measured" if count < len(records) else "measured all the same: there are no others"
    return (f"the connection broke during {which}, or they were resumed after a restart; they are {out}",)


def _difference(first: Recorded, other: Recorded) -> str | None:
    """Why two runs are not measured together; None: they are."""
    threads = _unequal(run.experiment.device.threads for run in (first, other))
    if threads:
        return f"trained with {threads} threads, and a device profile is of one device"
    for key in MACHINE:
        values = _unequal(run.header.environment.get(key) for run in (first, other))
        if values:
            return f"ran on different machines ({key}: {values}), and a device profile is of one device"
    if first.experiment.link != other.experiment.link:
        name = first.experiment.link.name
        links = _unequal(run.experiment.link.name for run in (first, other)) or f"two, both named {name}"
        return f"ran over different links ({links}), and a link profile is of one link"
    if _looked_up_by(first) == _looked_up_by(other) and _work(first) != _work(other):
        return f"train {first.header.method} in different ways, so that their steps take different seconds"
    return None


def _unequal(values: Iterable[object]) -> str | None:
    """Two values in words where they differ."""
    first, other = values
    return None if first == other else f"{first} and {other}"


def _looked_up_by(run: Recorded) -> tuple[str, str, str]:
    return run.setting.model, run.setting.dataset, run.setting.method


def _work(run: Recorded) -> object:
    """What decides how long a step takes, beside model, data set and method."""
    method = run.experiment.method(cast("Method", run.header.method))
    return run.experiment.train, run.experiment.model, run.experiment.dataset, method.rank, method.reduction
