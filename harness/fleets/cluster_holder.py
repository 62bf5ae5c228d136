"""What a node of a cluster holds for its trainers: files by their hash in a folder of the node's own.

Nodes need not share a file system. The folder is locked while its process lives; what a run that was killed left on
the node is cleared away by the next one there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.blobs import open_alone
from harness.durable import replace_whole
from harness.errors import BlobError
from harness.fleets.cluster_versions import versions
from harness.fleets.cluster_wire import packed

PREFIX = "federa-bench-node-"


class Holder:
    """Runs as a process of its own on each node; ``below`` is for tests."""

    def __init__(self, below: str | None = None) -> None:
        root = Path(below or tempfile.gettempdir())
        _clear_leftovers(root)
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        self._lock = open_alone(self._folder / "lock")

    def place(self) -> str:
        """The folder, which trainers of this node write into."""
        return str(self._folder)

    def versions(self) -> bytes:
        """What this node has, packed."""
        return packed(versions())

    def hold(self, sha256: str, data: bytes) -> str:
        """Keep these bytes as a file; where it is.

        Raises:
            BlobError: they have another hash.
            OSError: the file could not be written.
        """
        path = self._folder / sha256
        if not path.exists():
            if hashlib.sha256(data).hexdigest() != sha256:
                raise BlobError(f"what came to this node is not the file with hash {sha256}")
            replace_whole(path, data)
        return str(path)

    def gather(self, names: Sequence[str], *paths: str) -> str:
        """A folder in which files that are held here have names; where it is."""
        folder = self._folder / "base"
        folder.mkdir(exist_ok=True)
        for name, path in zip(names, paths, strict=True):
            (folder / name).unlink(missing_ok=True)
            os.link(path, folder / name)
        return str(folder)

    def forget(self, sha256: str) -> None:
        """Let go of a file that nobody will ask for any more."""
        (self._folder / sha256).unlink(missing_ok=True)

    def clear(self) -> None:
        """Let go of everything."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def _clear_leftovers(root: Path) -> None:
    for lock in root.glob(f"{PREFIX}*/lock"):
        try:
            held = open_alone(lock)
        except OSError:  # another user's, or cleared away meanwhile
            continue
        if held is not None:
            with held:
                shutil.rmtree(lock.parent, ignore_errors=True)
