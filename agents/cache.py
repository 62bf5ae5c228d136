"""The agent's folder: blobs that are fetched once, by their hash, and the files of what is under way.

<cache>/blobs/<sha256>            base weights and shards, shared by all agents of this machine
<cache>/blobs/<sha256>.part       on their way, taken up again after a break
<cache>/work/<agent>/             base/ (links by file name), init, state, update, trainer.log; empty at the start
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from harness.blobs import BlobFolder
from harness.errors import BlobError
from harness.protocol.messages import BlobRef


class AgentCache:
    """Where everything of an agent is."""

    def __init__(self, root: Path, agent: str) -> None:
        self.blobs = BlobFolder(root / "blobs")
        self._work = root / "work" / agent
        self.clear()
        self._work.mkdir(parents=True)
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
