"""Carries out the runs of a sweep that are left: none twice, an interrupted one from where it stopped.

The record is the run folders alone. What a planned run needs is read from its folder when its turn comes: done, it is
left as it is; failed, too, unless failed runs are to be tried again; interrupted, it is carried on; without a folder,
it begins; held by another process, it is left to that one and looked at again when it lets go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.errors import FederaBenchError, NoAgentsError, UsageError
from harness.store import RunFolder
from harness.sweep.folder import Standing, SweepFolder, standing_of
from harness.sweep.plan import Planned
from harness.sweep.workers import Worker, Workers

FOR_ALL: dict[int, type[FederaBenchError]] = {UsageError.exit_code: UsageError, NoAgentsError.exit_code: NoAgentsError}
"""Exit codes of what would stop every run: it is said at once, and no result of the run that met it."""
PAUSE_S = 0.1


class Watcher(Protocol):
    """Is told what happens to the runs."""

    def began(self, standing: Standing) -> None:
        """A run begins, or goes on if it has a folder."""

    def left_to_another(self, standing: Standing) -> None:
        """A run is being written by another process; the queue waits for it."""

    def ended(self, standing: Standing, seconds: float, rounds: int) -> None:
        """A run's process ended after ``rounds`` rounds in ``seconds``; done, failed, or broken off: interrupted."""


@dataclass(frozen=True)
class _Running:
    before: Standing
    folder: RunFolder
    worker: Worker
    began_s: float


@dataclass
class Queue:
    """The queue of one call: ``jobs`` processes at a time.

    ``ready`` gives the folder that is to be carried on, a new one for a run that has none.
    """

    folder: SweepFolder
    workers: Workers
    ready: Callable[[Standing], RunFolder]
    watcher: Watcher
    jobs: int = 1
    retry_failed: bool = False
    _running: list[_Running] = field(default_factory=list)
    _waiting: list[Standing] = field(default_factory=list)
    _named: set[str] = field(default_factory=set)

    def carry_out(self, planned: Sequence[Planned]) -> list[Standing]:
        """Carry out what is left of the planned runs; how each stands then.

        A run whose process broke off is not tried again in this call: it stands as interrupted.

        Raises:
            UsageError, NoAgentsError: a run met what would stop every one.
            StoreError: a record could not be read or written.
        """
        self._waiting = self.folder.standings(planned)
        while self._running or self._waiting:
            ended = [one for one in self._running if one.worker.poll() is not None]
            for one in ended:
                self._take_back(one)
            self._fill()
            if not ended and (self._running or self._waiting):
                time.sleep(PAUSE_S)
        return self.folder.standings(planned)

    def _fill(self) -> None:
        """Begin what can begin."""
        for known in list(self._waiting):
            if len(self._running) >= self.jobs:
                return
            standing = standing_of(known.planned, known.folder) if known.folder else known
            if standing.state == "running":
                self._leave(standing)
                continue
            self._waiting.remove(known)
            if standing.state != "done" and (standing.state != "failed" or self.retry_failed):
                self._begin(standing)

    def _leave(self, standing: Standing) -> None:
        if standing.planned.identity not in self._named:
            self._named.add(standing.planned.identity)
            self.watcher.left_to_another(standing)

    def _begin(self, standing: Standing) -> None:
        folder = self.ready(standing)
        self.watcher.began(standing)
        worker = self.workers.start(folder, self.folder.log(folder))
        self._running.append(_Running(standing, folder, worker, time.monotonic()))

    def _take_back(self, one: _Running) -> None:
        """See how a run ended whose process did."""
        self._running.remove(one)
        code = one.worker.poll()
        standing = standing_of(one.before.planned, one.folder)
        if code in FOR_ALL:
            self._stop_all(FOR_ALL[code], one.folder)
        if standing.state == "running":  # another process was quicker to take hold of it
            self._waiting.append(standing)
            return
        rounds = standing.rounds_done - one.before.rounds_done
        self.watcher.ended(standing, time.monotonic() - one.began_s, rounds)

    def _stop_all(self, kind: type[FederaBenchError], folder: RunFolder) -> None:
        reason = folder.read_header().reason or f"its process ended; the end of {self.folder.log(folder)} tells why"
        folder.mark("interrupted", reason)
        raise kind(f"{folder.path}: {reason}")
