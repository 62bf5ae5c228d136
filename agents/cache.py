"""The agent's folder: blobs that are fetched once, by their hash, and the files of what is under way.

<cache>/blobs/<sha256>                  base weights and shards, shared by all agents of this machine
<cache>/blobs/<sha256>.part             on their way, taken up again after a break
<cache>/agents/<agent>@<endpoint>/      base/ (links by file name), init, state, update, trainer.log; empty at the start
<cache>/agents/<agent>@<endpoint>.lock  held by the agent whose folder it is; the endpoint stands there as a hash
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from harness.blobs import BlobFolder, open_alone
from harness.errors import BlobError, UsageError
from harness.protocol.messages import BlobRef


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
        self._lock = open_alone(_lock_of(self._work))
        if self._lock is None:
            raise UsageError(
                f"an agent named {agent} already works for {endpoint} on this machine; give one of the two "
                "another --name"
            )
        _sweep(works)
        self.clear()
        self._work.mkdir()
        self.log = self._work / "trainer.log"
        self.init = self._work / "init.safetensors"
        self.state = self._work / "state.safetensors"
        self.update = self._work / "update.safetensors"

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

    def clear(self) -> None:
        """Remove the files of what was under way; the blobs stay."""
        shutil.rmtree(self._work, ignore_errors=True)

    def close(self) -> None:
        """Leave nothing but blobs."""
        self.clear()
        if self._lock is not None:
            _lock_of(self._work).unlink(missing_ok=True)
            self._lock.close()


def _lock_of(work: Path) -> Path:
    return work.with_name(f"{work.name}.lock")


def _sweep(works: Path) -> None:
    """Remove what killed agents left: folders that nobody holds."""
    for path in works.glob("*.lock"):
        lock = open_alone(path)
        if lock is not None:
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            path.unlink(missing_ok=True)
            lock.close()
