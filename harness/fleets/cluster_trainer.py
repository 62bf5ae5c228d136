"""A trainer on a node of a cluster: a process of its own whose model stays, given works and the node's files."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from harness.errors import FederaBenchError, UsageError
from harness.fleets.cluster_wire import Built, packed, spec_of, works_of
from harness.fleets.workforce import Ended, Hands, hands_of
from harness.pipes.process import pinned


class ClusterTrainer:
    """Carries out groups of works. ``threads`` is what numeric libraries may use; they are imported after that."""

    def __init__(self, threads: int) -> None:
        os.environ.update(pinned(threads))
        self._hands: Hands | None = None
        self._room = Path()

    def prepare(self, spec: bytes, fused: int, place: str, base: str | None, init: str | None) -> bytes:
        """Build the model; :class:`Built`, packed. ``place`` is the node's folder, ``base`` and ``init`` are in it."""
        self._room = Path(tempfile.mkdtemp(prefix="trainer-", dir=place))
        try:
            self._hands = hands_of(spec_of(spec), Path(base) if base else None, Path(init) if init else None, fused)
        except FederaBenchError as error:
            return packed(Built(broken=str(error), usage=isinstance(error, UsageError)))
        except (RuntimeError, ValueError, OSError, ImportError) as error:
            return packed(Built(broken=f"{type(error).__name__}: {error}"))
        return packed(Built())

    def train(self, works: bytes, *paths: str) -> list[bytes]:
        """Carry out a group: how each work :class:`Ended`, packed, then the bytes of each update that was written.

        ``paths`` are the files of the node: a state for each work, then a shard for each.
        """
        assert self._hands is not None, "a trainer is prepared before it is given works"
        wanted = works_of(works)
        count = len(wanted)
        here = [
            msgspec.structs.replace(work, state=state, shard=shard, update=str(self._update(work.number, work.update)))
            for work, state, shard in zip(wanted, paths[:count], paths[count:], strict=True)
        ]
        ended: list[Ended] = []
        updates: list[bytes] = []
        for one in self._hands.carry_out(here):
            ended.append(one)
            update = next(Path(work.update) for work in here if work.number == one.number)
            updates += [update.read_bytes()] if one.update is not None else []
            shutil.rmtree(update.parent)
        return [packed(ended), *updates]

    def _update(self, number: int, wanted: str) -> Path:
        """Where an update is written here, under the name that it is to have."""
        folder = self._room / str(number)
        folder.mkdir(exist_ok=True)
        return folder / Path(wanted).name
