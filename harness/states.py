"""The states of a run as files: its checkpoints, and the updates of the open round."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.blobs import blob_of
from harness.durable import copy_whole, unwritten
from harness.errors import FederaBenchError

KEPT_CHECKPOINTS = 2


class StateFiles:
    """Where the states of the run below ``path`` are."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def checkpoint(self, round: int) -> Path:
        """The global state after a round; round 0 is the initial one."""
        return self.path / "checkpoints" / f"round-{round:04d}.safetensors"

    def update(self, round: int, client: int) -> Path:
        """Where a client's update lands; its folder is made."""
        path = self.path / "updates" / f"round-{round:04d}" / f"client-{client:04d}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def keep_initial_state(self, state: Path) -> str:
        """Copy ``state`` to checkpoint 0 unless one is there, and return the SHA-256 of ``state`` itself."""
        target = self.checkpoint(0)
        if not target.exists() and state != target:
            self.restore_initial_state(state)
        return blob_of(state).sha256

    def restore_initial_state(self, state: Path) -> None:
        """Copy ``state`` to checkpoint 0, whatever is there."""
        target = self.checkpoint(0)
        try:
            copy_whole(state, target, synced=True)
        except OSError as error:
            raise self.unwritten(target, error) from None

    def prune(self, closed_round: int) -> None:
        """Remove the updates of closed rounds, and checkpoints but the initial and the last two."""
        for folder in (self.path / "updates").glob("round-*"):
            if _round_of(folder) <= closed_round:
                shutil.rmtree(folder, ignore_errors=True)
        for checkpoint in (self.path / "checkpoints").glob("round-*.safetensors"):
            if 0 < _round_of(checkpoint) <= closed_round - KEPT_CHECKPOINTS:
                checkpoint.unlink(missing_ok=True)

    def unwritten(self, path: Path | str, error: OSError) -> FederaBenchError:
        """What to tell a person where a file of this run could not be written."""
        return unwritten(path, error, run=str(self.path))


def _round_of(path: Path) -> int:
    return int(path.name.removeprefix("round-").partition(".")[0])
