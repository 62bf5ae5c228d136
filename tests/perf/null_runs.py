"""Runs of the null trainer, conducted in this process and over real sockets; its clocks are read at each new state."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from perf.processor_time import Thread, spent, told

from harness.bench import RunOptions, carry_on, new_run
from harness.keys.folder import make_pair
from harness.learning.workload import Sources
from harness.library import load_experiment
from harness.records import ClientRecord, RoundRecord
from harness.rounds.events import Aggregated, AnyEvent
from harness.rounds.machine import RoundMachine
from harness.store import RunFolder

STATE_BYTES = 4_718_592
"""What FeDeRA of rank 32 trains of RoBERTa-base, in float32."""
WAITING = re.compile(r"^waiting for \d+ agents? at (tcp://\S+)$")
"""How a run says where its agents are to come."""


class Stamp(NamedTuple):
    """When a round's state was there: by the wall, and by the processor time of this process, all threads of it."""

    at_s: float
    cpu_s: float


class Stamps:
    """The run's screen: it shows nothing, and calls ``come`` with the endpoint once agents are waited for."""

    def __init__(self, come: Callable[[str], None] | None, watched: Sequence[int] = ()) -> None:
        self._come, self._watched = come, watched
        self.stamps: list[Stamp] = []
        self.spent: list[dict[Thread, float]] = []
        """Processor time so far, at the stamps of these numbers: counting it takes a while itself."""

    def say(self, line: str) -> None:
        """One step of the preparation."""
        if self._come is not None and (found := WAITING.match(line)):
            self._come(found[1])

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        """Read both clocks at a new state."""
        if isinstance(event, Aggregated):
            self.stamps.append(Stamp(time.monotonic(), time.process_time()))
            if len(self.stamps) in self._watched:
                self.spent.append(spent())


@dataclass(frozen=True)
class Course:
    """How a run went: its stamps and records, those of its first rounds and its last left out.

    ``profile`` tells of a run that was watched which threads its processor time went to; its stamps tell nothing then.
    """

    stamps: Sequence[Stamp]
    rounds: Sequence[RoundRecord]
    clients: Sequence[ClientRecord]
    profile: str = ""

    @property
    def round_s(self) -> list[float]:
        """Seconds from each new state to the next: all that a round takes, what is between two rounds included."""
        return [after.at_s - before.at_s for before, after in itertools.pairwise(self.stamps)]

    @property
    def cpu_s(self) -> list[float]:
        """Seconds of processor time that the controller's process took meanwhile."""
        return [after.cpu_s - before.cpu_s for before, after in itertools.pairwise(self.stamps)]


def settings(agents: int, state_bytes: int, **others: object) -> list[str]:
    """Overrides of the profile ``null``: each agent trains one client of each round."""
    given = {
        "agents.count": agents,
        "partition.clients": agents,
        "rounds.clients_per_round": agents,
        "train.null_state_bytes": state_bytes,
        **{name.replace("__", "."): value for name, value in others.items()},
    }
    return [f"{name}={value}" for name, value in given.items()]


def conducted(
    folder: Path,
    rounds: int,
    sets: Sequence[str],
    come: Callable[[str], None] | None = None,
    keys: Path | None = None,
    warm_ups: int = 2,
    watched: bool = False,
) -> Course:
    """Conduct a run in a new folder below ``folder``; ``warm_ups`` rounds before those wanted, and one after, which
    ends with the run, are left out.

    Its agents are processes of this machine, or, with ``come``, others: that is told where they are to connect to.
    ``keys`` is a folder of keys, for encrypted sockets. ``watched``: where the processor time of a round goes is told.

    Raises:
        RuntimeError: a wanted round is not there, or not all of its clients completed it.
    """
    experiment = load_experiment("null", [*sets, f"rounds.count={warm_ups + rounds + 1}"])
    options = RunOptions(out=folder, local_agents=come is None, keys=keys)
    run, screen = new_run(experiment, "federa", Sources(), options), Stamps(come, _watched(watched, warm_ups, rounds))
    carry_on(run, options, screen)
    stored, wanted = RunFolder.open(run.path), range(warm_ups + 1, warm_ups + rounds + 1)
    records = [record for record in stored.read_rounds() if record.round in wanted]
    see_complete(records, wanted, experiment.rounds.clients_per_round)
    return Course(
        stamps=screen.stamps[warm_ups - 1 : -1],
        rounds=records,
        clients=[record for record in stored.read_clients() if record.round in wanted],
        profile=told(*screen.spent, per=rounds) if watched else "",
    )


def see_complete(rounds: Sequence[RoundRecord], wanted: Sequence[int], clients: int) -> None:
    """See that all wanted rounds are there, and that all of so many clients completed each: others took less time.

    Raises:
        RuntimeError: it is not so.
    """
    if missing := set(wanted) - {record.round for record in rounds}:
        raise RuntimeError(f"round {min(missing)} of the run is missing; nothing can be said of its time")
    for record in rounds:
        if len(record.completed) != clients or record.failed:
            why = f"; client {record.failed[0].client}: {record.failed[0].reason}" if record.failed else ""
            raise RuntimeError(f"round {record.round} has {len(record.completed)} of {clients} clients{why}")


def _watched(watched: bool, warm_ups: int, rounds: int) -> tuple[int, ...]:
    """At which stamps processor time is counted: where the rounds that are wanted begin and end."""
    return (warm_ups, warm_ups + rounds) if watched else ()


def with_keys(folder: Path) -> Path:
    """A folder with the controller's pair of keys."""
    make_pair(folder, "controller")
    return folder
