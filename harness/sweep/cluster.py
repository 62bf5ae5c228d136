"""Runs of a sweep on the nodes of a Ray cluster: each a process there, as it would be here, on folders that all see."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from harness.errors import RunInterruptedError, UsageError
from harness.fleets.cluster_ray import Cluster, Handle, Node
from harness.fleets.cluster_versions import check_versions, versions
from harness.fleets.cluster_wire import packed
from harness.store import RunFolder
from harness.sweep.carrier import Carrier
from harness.sweep.workers import GRACE_S

MOST_TRIES = 3
LOST = 1
"""Exit code of a run that was begun so often, and each time lost: it stands as interrupted, as any that breaks off."""
PAUSE_S = 5.0
"""After a loss a run begins no sooner: a cluster still gives away the cores of a node that has just died, and every try
there would be one more loss."""
PATIENCE_S = 60.0
"""So long a run waits for a node with its cores, where the cluster has none any more."""
ASK_S = 5.0
"""The cluster is asked for its nodes no more often."""
log = logging.getLogger(__name__)


class Ended(NamedTuple):
    """What a carrier said of its run: an exit code, or why it is lost."""

    code: int | None
    lost: str | None


@dataclass
class ClusterRun:
    """One run on a node: :class:`harness.sweep.workers.Worker`. Where it is lost it is carried on elsewhere.

    A run is never written by two: it goes on when whoever wrote it has let go of its folder.
    """

    cluster: Cluster
    folder: RunFolder
    out: Path
    log: Path
    cores: int
    pause_s: float = PAUSE_S
    patience_s: float = PATIENCE_S
    tries: int = 0
    carrier: Handle | None = None
    _here: threading.Event = field(default_factory=threading.Event)
    _asked_at: float | None = None
    _without_since: float | None = None
    _not_before: float = 0.0
    _code: int | None = None
    _ended: queue.SimpleQueue[Ended] = field(default_factory=queue.SimpleQueue)

    def poll(self) -> int | None:
        """Its exit code; None while it runs, or is about to go on."""
        if self.carrier is not None and not self._ended.empty():
            self._hear(self._ended.get())
        if self._code is None and (self.carrier is None or not self._here.is_set()):
            self._look_for_nodes()
        if self.carrier is None and self._code is None and self._may_begin():
            self._begin()
        return self._code

    def _look_for_nodes(self) -> None:
        """See that there is a node to begin on, or this run is lost: a carrier without one waits and says nothing."""
        now = time.monotonic()
        if self._asked_at is not None and now < self._asked_at + ASK_S:
            return
        self._asked_at = now
        if any(node.cores >= self.cores for node in self.cluster.nodes()):
            self._without_since = None
            return
        self._without_since = now if self._without_since is None else self._without_since
        if now >= self._without_since + self.patience_s:
            self._note(f"no node of the Ray cluster has {self.cores} cores any more; start one, then sweep again")
            self._end(LOST)

    def _may_begin(self) -> bool:
        reachable = self._without_since is None
        return reachable and time.monotonic() >= self._not_before and not self.folder.is_locked()

    def _begin(self) -> None:
        self.tries += 1
        self.carrier = self.cluster.start(Carrier, None, self.cores, at_once=2)
        words = (str(self.folder.path.resolve()), str(self.out.resolve()), str(self.log.resolve()))
        ended, here, carrier = queue.SimpleQueue[Ended](), threading.Event(), self.carrier
        self._ended, self._here = ended, here  # of this try alone: what an earlier one says late is not heard

        def told(code: Any, lost: str | None) -> None:
            ended.put(Ended(code, lost))

        self.cluster.listen(carrier.is_here.remote(), lambda _, lost: None if lost else here.set())
        self.cluster.listen(carrier.carry_on.remote(*words, self.cores, packed(versions())), told)

    def _hear(self, ended: Ended) -> None:
        self.cluster.end(self.carrier)
        self.carrier = None
        self._not_before = time.monotonic() + self.pause_s
        if ended.code is not None and ended.code >= 0:
            self._code = ended.code
            return
        lost = ended.lost or f"its process was killed by signal {-(ended.code or 0)}"
        log.warning("%s was lost on its node: %s", self.folder.path.name, lost)
        self._note(f"this run was lost on its node ({lost}), time {self.tries} of {MOST_TRIES}")
        if self.tries == MOST_TRIES:
            self._code = LOST

    def _note(self, sentence: str) -> None:
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"federa-bench: {sentence}\n")

    def _end(self, code: int) -> None:
        if self.carrier is not None:
            self.cluster.end(self.carrier)
        self.carrier, self._code = None, code

    def stop(self) -> None:
        """Tell it to stop, if it runs; :meth:`stopped` says when it has. One that no node has begun ends at once."""
        if self._code is not None or not self._ended.empty():
            return
        if self.carrier is not None and self._here.is_set():
            self.carrier.stop.remote()
        else:
            self._end(RunInterruptedError.exit_code)

    def stopped(self) -> bool:
        """Whether it has ended, or never began."""
        return self.carrier is None or not self._ended.empty()


@dataclass
class ClusterRuns:
    """Starts runs on whichever nodes have ``threads`` cores free: :class:`harness.sweep.workers.Workers`."""

    cluster: Cluster
    out: Path
    threads: int
    room: int
    _runs: list[ClusterRun] = field(default_factory=list)

    def start(self, folder: RunFolder, log: Path) -> ClusterRun:
        """See :class:`harness.sweep.workers.Workers`."""
        run = ClusterRun(self.cluster, folder, self.out, log, self.threads)
        self._runs = [*(one for one in self._runs if one.poll() is None), run]
        run.poll()
        return run

    def stop(self) -> None:
        """Tell all that still run to stop, and wait; what does not go by itself in a minute ends with its carrier."""
        for run in self._runs:
            run.stop()
        limit_s = time.monotonic() + GRACE_S
        while time.monotonic() < limit_s and not all(run.stopped() for run in self._runs):
            time.sleep(0.1)
        for run in self._runs:
            if run.carrier is not None:
                self.cluster.end(run.carrier)


@contextmanager
def cluster_runs(address: str | None, folder: Path, out: Path, threads: int) -> Iterator[ClusterRuns]:
    """Runs on the cluster at ``address`` (None: as :meth:`Cluster.joined`), none of which is left at the end.

    Raises:
        UsageError: there is no such cluster, or a node of it is not fit, or does not see the sweep's ``folder``.
    """
    cluster = Cluster.joined(address)
    try:
        nodes = cluster.nodes()
        room = sum(node.cores // threads for node in nodes)
        if not room:
            raise UsageError(
                f"no node of the Ray cluster has {threads} cores, which device.threads asks for; choose fewer threads"
            )
        check_nodes(cluster, nodes, folder.resolve())
        runs = ClusterRuns(cluster, out, threads, room)
        try:
            yield runs
        finally:
            runs.stop()
    finally:
        cluster.close()


def check_nodes(cluster: Cluster, nodes: list[Node], folder: Path) -> None:
    """See that every node has this machine's versions, and reads and writes in ``folder`` what this machine does.

    Raises:
        UsageError: one does not.
    """
    carriers = {node.id: cluster.start(Carrier, node.id, 0) for node in nodes}
    word, probe = uuid4().hex, folder / ".probe"
    try:
        told = cluster.get({node: carrier.versions.remote() for node, carrier in carriers.items()})
        check_versions({node: told[node.id] for node in nodes})
        probe.write_text(word, encoding="utf-8")
        answers = cluster.get({node: carrier.sees.remote(str(probe)) for node, carrier in carriers.items()})
        for node in nodes:
            name = answers[node.id]
            if isinstance(name, Exception):
                raise UsageError(
                    f"node {node.host} of the Ray cluster cannot carry runs ({name}); mend it, or take it out of the "
                    "cluster"
                )
            answered = probe.with_name(f"{probe.name}-{name}")
            if not answered.exists() or answered.read_text(encoding="utf-8") != word:
                raise UsageError(
                    f"node {node.host} of the Ray cluster does not see {folder}; a sweep over a cluster keeps its "
                    "runs where all nodes see them: give --out on a file system that they share, at the same path"
                )
    finally:
        for left in folder.glob(f"{probe.name}*"):
            left.unlink()
        for carrier in carriers.values():
            cluster.end(carrier)
