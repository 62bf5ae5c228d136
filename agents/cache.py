"""The agent's folder: blobs that are fetched once, by their hash, and the files of what is under way.

<cache>/blobs/<sha256>                  base weights and shards, shared by all agents of this machine
<cache>/blobs/<sha256>.part             on their way, taken up again after a break
<cache>/agents/<agent>@<endpoint>/      base/ (links by file name), init, state, update, trainer.log
<cache>/agents/<agent>@<endpoint>.lock  held by the agent whose folder it is; the endpoint stands there as a hash

Two things outlive an agent, one of each: a finished update with its journal, and the state that came in part. An agent
finds them at its next start, at whatever address its controller is by then. All else is gone at the end and the start.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable
from io import FileIO
from pathlib import Path

from agents.outbox import Outbox
from harness.blobs import BlobFolder, open_alone, partial_of
from harness.durable import GLANCE_S
from harness.errors import BlobError, UsageError
from harness.protocol.messages import BlobRef

STATE, UPDATE, JOURNAL = "state.safetensors", "update.safetensors", "update.journal"


class AgentCache:
    """Where everything of an agent is.

    Raises:
        UsageError: an agent of this name already works for this controller from this cache.
    """

    def __init__(self, root: Path, agent: str, endpoint: str) -> None:
        self.blobs = BlobFolder(root / "blobs")
        works = root / "agents"
        works.mkdir(parents=True, exist_ok=True)
        self._work = works / f"{agent}@{hashlib.sha256(endpoint.encode()).hexdigest()[:8]}"
        self._lock = _held(_lock_of(self._work))
        if self._lock is None:
            raise UsageError(
                f"an agent named {agent} already works for {endpoint} on this machine; give one of the two "
                "another --name"
            )
        self._work.mkdir(exist_ok=True)
        _strip(self._work)
        _sweep(works, self._work)
        _sweep_blobs(self.blobs.folder)
        self.log = self._work / "trainer.log"
        self.init = self._work / "init.safetensors"
        self.state, self.update = self._work / STATE, self._work / UPDATE
        self.outbox = Outbox(self.update, self._work / JOURNAL)

    def base_folder(self, base: Iterable[BlobRef]) -> Path:
        """A folder with the base model's files under their own names, as libraries want them.

        Raises:
            BlobError: a name that is not a plain file name.
        """
        folder = self._work / "base"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for blob in base:
            if Path(blob.name).name != blob.name or blob.name in ("", ".."):
                raise BlobError(f"{blob.name!r} of the base model is not a plain file name; the controller sent it")
            (folder / blob.name).symlink_to(self.blobs.path(blob.sha256).resolve())
        return folder

    def room_for_state(self, blob: BlobRef) -> Path:
        """Where a state is to land: all others go, and so does this one unless it came in part alone.

        Each download is to be measured, so that one that is here whole is of no use.
        """
        partial = partial_of(blob, self.state)
        for path in self._states():
            if path != partial or path.stat().st_size >= blob.size_bytes:
                path.unlink()
        return self.state

    def clear_task(self) -> None:
        """Remove the files of the last task: its state, whole or in part, its update, its journal."""
        self.outbox.forget()
        half_written = self._work.glob(f".{UPDATE}*")  # by a trainer that was killed
        for path in (*self._states(), *half_written):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave nothing but blobs, and what outlives an agent."""
        _strip(self._work)
        if self._lock is not None:
            _let_go(self._work)
            self._lock.close()

    def _states(self) -> list[Path]:
        return sorted(self._work.glob(f"{STATE}*"))


def _held(lock: Path) -> FileIO | None:
    """Hold a lock; None where an agent does. One that starts up and sweeps holds those of others for a moment only."""
    limit_s = time.monotonic() + GLANCE_S
    while (file := open_alone(lock)) is None and time.monotonic() < limit_s:
        time.sleep(GLANCE_S / 50)
    return file


def _lock_of(work: Path) -> Path:
    return work.with_name(f"{work.name}.lock")


def _let_go(work: Path) -> None:
    """Remove a folder that has nothing left to keep, and its lock, which is held."""
    if not work.is_dir() or not any(work.iterdir()):
        shutil.rmtree(work, ignore_errors=True)
        _lock_of(work).unlink(missing_ok=True)


def _kept(work: Path) -> list[Path]:
    """What outlives an agent: an update with its journal, a state in part."""
    update = [work / UPDATE, work / JOURNAL]
    partial = sorted(work.glob(f"{STATE}.*.part"))[:1]
    return [*(update if all(path.is_file() for path in update) else []), *partial]


def _strip(work: Path) -> None:
    kept = _kept(work)
    for path in work.glob("*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path not in kept:
            path.unlink(missing_ok=True)


def _sweep(works: Path, own: Path) -> None:
    """Clear up after killed agents: in folders that nobody holds, only what outlives an agent stays.

    What an agent of this name left for another address is taken over: its controller may have moved there.
    """
    for path in sorted(works.glob("*.lock")):
        work = path.with_suffix("")
        lock = None if work == own else open_alone(path)
        if lock is not None:
            _strip(work)
            if work.name.rpartition("@")[0] == own.name.rpartition("@")[0]:
                _take_over(work, own)
            _let_go(work)
            lock.close()


def _sweep_blobs(folder: Path) -> None:
    """Partial files that a killed agent had beside another one's. What came in part alone is taken up again."""
    for path in folder.glob("*.*.part"):
        left = open_alone(path)
        if left is not None:
            path.unlink(missing_ok=True)
            left.close()


def _take_over(work: Path, own: Path) -> None:
    for path in [] if _kept(own) else _kept(work):
        os.replace(path, own / path.name)
    shutil.rmtree(work, ignore_errors=True)
