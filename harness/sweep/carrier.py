"""What carries a run of a sweep on a node of a cluster: it starts the run's process there, and waits for it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from harness.blobs import open_alone
from harness.errors import RunInterruptedError, UsageError
from harness.fleets.cluster_versions import versions
from harness.fleets.cluster_wire import packed, versions_of
from harness.store import HEADER
from harness.sweep.workers import begun


class Carrier:
    """Runs as a process on a node. Where it is ended, the run's process ends too, resumable: its stdin does."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def is_here(self) -> bool:
        """Whether it has a node: an answer comes as soon as it has."""
        return True

    def versions(self) -> bytes:
        """What this node has, packed."""
        return packed(versions())

    def sees(self, probe: str) -> str:
        """Read the file ``probe`` and write what is in it beside it; the new name's ending. Empty: it is not there."""
        name = uuid4().hex
        try:
            word = Path(probe).read_text(encoding="utf-8")
            Path(f"{probe}-{name}").write_text(word, encoding="utf-8")
        except OSError:
            return ""
        return name

    def carry_on(self, run: str, out: str, log: str, cores: int, wanted: bytes) -> int:
        """Carry a run folder on to its end, on ``cores`` cores; its exit code, below 0: the signal that killed it.

        ``wanted`` are the versions of who sweeps, packed.

        Raises:
            FileNotFoundError: this node, perhaps new in the cluster, does not see the folder.
            UsageError: this node, perhaps new in the cluster, has other versions.
        """
        if versions_of(wanted) != versions():
            raise UsageError("this node has other versions than the machine that sweeps; install the same there")
        if not (Path(run) / HEADER).exists():
            raise FileNotFoundError(f"this node does not see {run}")
        with cores_alone(cores, Path(tempfile.gettempdir())):
            with self._lock:
                if self._stopped:  # Ctrl-C may be quicker than the beginning
                    return RunInterruptedError.exit_code
                self._process = begun(Path(run), Path(out), Path(log), cores)
            return self._process.wait()

    def stop(self) -> None:
        """Have the run end as at a Ctrl-C, or not begin."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.terminate()


@contextmanager
def cores_alone(count: int, locks: Path) -> Iterator[None]:
    """What this thread starts in the block has so many cores of the machine, and no other such block has them.

    Else each run would take the whole node for its own, and start trainers for all of it. Where cores are not to be had
    (Ray gives away more than there are), or not to be chosen, it has all.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    with ExitStack() as held:
        taken: set[int] = set()
        for core in sorted(before):
            if len(taken) < count and _held(held, locks / f"federa-bench-core-{core}"):
                taken.add(core)
        os.sched_setaffinity(0, taken if len(taken) == count else before)
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


def _held(held: ExitStack, path: Path) -> bool:
    try:
        lock = open_alone(path)
    except OSError:  # another user's
        return False
    if lock is not None:
        held.enter_context(lock)
    return lock is not None
