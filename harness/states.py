"""The states of a run as files: its checkpoints, what clients are given, the updates of the open round."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness import spare
from harness.blobs import blob_of
from harness.durable import copy_whole, sync, unwritten
from harness.errors import FederaBenchError

KEPT_CHECKPOINTS = 2


class StateFiles:
    """Where the states of the run below ``path`` are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Whose path is asked for many times in a round: putting one together takes as long as asking the system of it.
        self._checkpoints, self._updates, self._outgoing = (
            path / name for name in ("checkpoints", "updates", "outgoing")
        )
        self._made: int | None = None

    def checkpoint(self, round: int) -> Path:
        """The global state after a round; round 0 is the initial one."""
        return self._checkpoints / f"round-{round:04d}.safetensors"

    def update(self, round: int, client: int) -> Path:
        """Where a client's update lands; its folder is made."""
        if round != self._made:  # of all its updates the first one finds none
            (self._updates / f"round-{round:04d}").mkdir(parents=True, exist_ok=True)
            self._made = round
        return self._updates / f"round-{round:04d}/client-{client:04d}.safetensors"

    def outgoing(self, round: int) -> Path:
        """The folder of what clients are given in a round, where that is not the checkpoint before it."""
        return self._outgoing / f"round-{round:04d}"

    @property
    def clients(self) -> Path:
        """The folder of what belongs to one client: control variates, factors that never travel."""
        return self.path / "clients"

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

    def secure(self, round: int) -> None:
        """Wait until the state after a round is on the disk: it outlasts a loss of power from then on.

        Raises:
            StoreError: the disk could not take it.
        """
        checkpoint = self.checkpoint(round)
        try:
            sync(checkpoint)
            sync(checkpoint.parent)
        except OSError as error:
            raise self.unwritten(checkpoint, error) from None

    def prune(self, closed_round: int) -> None:
        """Remove the updates of closed rounds, and checkpoints but the initial and the last two.

        Of what clients are given the next round's stays, and the last one's: smaller files are made by its hashes.
        The memory and the blocks of the last checkpoint that goes are the next one's (:mod:`harness.spare`).
        """
        for folder in self._updates.glob("round-*"):
            if _round_of(folder) <= closed_round:
                shutil.rmtree(folder, ignore_errors=True)
        for checkpoint in self._checkpoints.glob("round-*.safetensors"):
            if 0 < _round_of(checkpoint) <= closed_round - KEPT_CHECKPOINTS:
                spare.kept_or_removed(checkpoint)
        for folder in self._outgoing.glob("round-*"):
            if _round_of(folder) <= closed_round + 1 - KEPT_CHECKPOINTS:
                shutil.rmtree(folder, ignore_errors=True)

    def drop_outgoing(self) -> None:
        """Remove all that clients were given, and the spare file: nobody will train any more."""
        shutil.rmtree(self._outgoing, ignore_errors=True)
        spare.dropped(self._checkpoints)

    def unwritten(self, path: Path | str, error: OSError) -> FederaBenchError:
        """What to tell a person where a file of this run could not be written."""
        return unwritten(path, error, run=str(self.path))


def _round_of(path: Path) -> int:
    return int(path.name.removeprefix("round-").partition(".")[0])
