"""The folder of a sweep: what was asked, its run folders, and what came out.

<out>/<sweep id>/sweep.json             what was asked; the same command finds the same folder again
<out>/<sweep id>/validation/, test/     run folders, as any other
<out>/<sweep id>/logs/<run id>.log      what the process of a run said
<out>/<sweep id>/sweep.csv, sweep.md    the results so far; raw values, and for people
<out>/<sweep id>/sweep.lock             held by the process that carries the sweep out
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from harness.blobs import open_alone
from harness.durable import replace_whole
from harness.errors import StoreError
from harness.profiles import Method, build
from harness.store import HEADER, RunFolder
from harness.sweep.choice import Outcome, outcome_of
from harness.sweep.plan import Asked, Planned, Stage, identity_of

ASKED, LOCK, LOGS = "sweep.json", "sweep.lock", "logs"

State = Literal["left", "running", "interrupted", "failed", "done"]
"""Of a planned run: ``left`` has no folder, ``running`` is written by a process now, ``interrupted`` can go on."""
BEST_FIRST: tuple[State, ...] = ("done", "running", "interrupted", "failed")


@dataclass(frozen=True)
class Standing:
    """How far a planned run is; ``folder`` is None where it has none yet."""

    planned: Planned
    state: State = "left"
    folder: RunFolder | None = None
    rounds_done: int = 0
    outcome: Outcome | None = None

    @property
    def rounds_left(self) -> int:
        """Rounds that are still to be run; none of a run that ended."""
        return 0 if self.state in ("done", "failed") else self.planned.experiment.rounds.count - self.rounds_done


class SweepFolder:
    """One sweep's folder. Reading needs nothing; who carries it out holds :meth:`locked`."""

    def __init__(self, out: Path, asked: Asked) -> None:
        self.asked = asked
        self.path = out / asked.sweep_id
        self._known: dict[Path, str] = {}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder if it is not there, and hold it; the lock ends with the process, however that ends.

        Raises:
            StoreError: another process carries this sweep out, or the folder cannot be written, or is another's.
        """
        try:
            for name in ("validation", "test", LOGS):
                (self.path / name).mkdir(parents=True, exist_ok=True)
            lock = open_alone(self.path / LOCK)
        except OSError as error:
            raise StoreError(f"the sweep folder {self.path} could not be made: {error.strerror}") from None
        if lock is None:
            raise StoreError(f"{self.path} is being carried out by another process; wait for it to end, or stop it")
        with lock:
            self._keep_asked()
            yield

    def _keep_asked(self) -> None:
        path = self.path / ASKED
        if not path.exists():
            self.write(ASKED, msgspec.json.format(msgspec.json.encode(self.asked)) + b"\n")
            return
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Asked)
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(f"{path} cannot be read ({error}); restore it, or move the folder away") from None
        if found != self.asked:
            raise StoreError(f"{path} asks for another sweep than this command; move the folder away, or choose --out")

    def write(self, name: str, data: bytes) -> None:
        """Replace a file of the folder in one step.

        Raises:
            StoreError: it could not be written.
        """
        try:
            replace_whole(self.path / name, data)
        except OSError as error:
            raise StoreError(
                f"{self.path / name} could not be written ({error.strerror}); mend that, then give the command again"
            ) from None

    def root(self, stage: Stage) -> Path:
        """Where a stage's run folders are."""
        return self.path / stage

    def log(self, folder: RunFolder) -> Path:
        """Where the process of a run writes what it says."""
        return self.path / LOGS / f"{folder.path.name}.log"

    def standings(self, planned: Sequence[Planned]) -> list[Standing]:
        """How far planned runs are, by what the headers of the run folders say, whatever the folders' names.

        Raises:
            StoreError: a run folder cannot be read.
        """
        found: dict[str, list[RunFolder]] = {}
        for stage in dict.fromkeys(one.stage for one in planned):
            for header in sorted(self.root(stage).glob(f"*/{HEADER}")):
                found.setdefault(f"{stage} {self._identity(header.parent)}", []).append(RunFolder(header.parent))
        return [self._best(one, found.get(f"{one.stage} {one.identity}", [])) for one in planned]

    def _best(self, planned: Planned, folders: Sequence[RunFolder]) -> Standing:
        """The one that is furthest, should a run have several folders."""
        standings = [standing_of(planned, folder) for folder in folders]
        return min(standings, key=lambda one: BEST_FIRST.index(one.state), default=Standing(planned))

    def _identity(self, path: Path) -> str:
        """What a run folder's header says it is; read once, it does not change."""
        if path not in self._known:
            header = RunFolder(path).read_header()
            method: Method = msgspec.convert(header.method, Method)
            self._known[path] = identity_of(build(header.profile, str(path / HEADER)), method)
        return self._known[path]


def standing_of(planned: Planned, folder: RunFolder) -> Standing:
    """How far the run in a folder is."""
    locked = folder.is_locked()  # before the header is read: a run that ends meanwhile then counts as running
    header, rounds = folder.read_header(), folder.read_rounds()
    if locked:
        return Standing(planned, "running", folder, len(rounds))
    if header.state == "done" or header.state == "failed":
        outcome = outcome_of(planned, header.state, [record.metrics for record in rounds], header.reason)
        return Standing(planned, header.state, folder, len(rounds), outcome)
    return Standing(planned, "interrupted", folder, len(rounds))
