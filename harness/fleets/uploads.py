"""Updates on their way in: taken up where an earlier try ended, written as they come, checked by hash and layout."""

from __future__ import annotations

import math
import os
from pathlib import Path

from harness.blobs import Landing, put_back
from harness.durable import unwritten
from harness.errors import BlobError, StoreError
from harness.fleets.peers import Peer
from harness.protocol import messages as m
from harness.tensorfile import DTYPE_BYTES, LENGTH_BYTES, MAX_HEADER_BYTES, Layout, layout
from harness.transport import Server

SLICE_BYTES = 16 * 1024 * 1024
"""So much of a partial file is read at once, about as much as a turn of the loop takes from the sockets."""


class Uploads:
    """The receiving end of all agents' updates; each peer has at most one under way."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._begun = _Begun()
        self._reading: list[Peer] = []

    @property
    def behind(self) -> Peer | None:
        """A peer whose partial file is still being read: see :meth:`catch_up`."""
        while self._reading and not self._reading[0].behind:
            self._reading.pop(0)
        return self._reading[0] if self._reading else None

    def offer(self, peer: Peer, blob: m.BlobRef) -> None:
        """The update of the peer's task is ready: take it. Said again, it goes on from where it is.

        What an earlier try left on the disk is counted first; a file that landed whole is checked, and not sent again.

        Raises:
            BlobError: it cannot be an update of this task; or as :meth:`chunk` does.
            StoreError: it could not be written.
        """
        if peer.layout is None or peer.update is None:
            return
        tensor_bytes = _tensor_bytes(peer.layout)
        if blob.size_bytes > tensor_bytes + LENGTH_BYTES + MAX_HEADER_BYTES:
            raise BlobError(
                f"agent {peer.name} offered an update of {blob.size_bytes} bytes; the tensors that its task asks for "
                f"have {tensor_bytes}"
            )
        try:
            if peer.landing is not None and peer.landing.incoming.blob.sha256 == blob.sha256:
                self._repeat(peer, peer.landing)
                return
            peer.let_go()
            put_back(blob, peer.update)
            alone = not self._begun.before(peer.update)
            peer.landing = Landing(blob, peer.update, resume=True, at_once=False, alone=alone)
            self._catch_up(peer, peer.landing)
            if peer.behind:
                self._reading.append(peer)
        except OSError as error:
            raise _unwritten(peer, error) from None

    def catch_up(self, peer: Peer) -> None:
        """Read on in a partial file; once all of it is counted, the agent is told. Raises as :meth:`chunk` does."""
        try:
            if peer.landing is not None and not peer.landing.caught_up:
                self._catch_up(peer, peer.landing)
        except OSError as error:
            raise _unwritten(peer, error) from None

    def chunk(self, peer: Peer, chunk: m.Chunk, data: bytes | memoryview) -> None:
        """Bytes of the update that is under way; of any other they are ignored.

        Raises:
            BlobError: what landed does not match its hash, for the second time, or is no update of this task.
            StoreError: it could not be written.
        """
        landing = peer.landing
        if landing is None or peer.behind or peer.landed is not None:
            return
        if chunk.sha256 != landing.incoming.blob.sha256:
            return
        try:
            if landing.arrived(chunk.offset, data):
                self._conclude(peer, landing)
            elif credit := landing.incoming.credit():
                self._server.send(peer.id, credit)
        except OSError as error:
            raise _unwritten(peer, error) from None

    def _repeat(self, peer: Peer, landing: Landing) -> None:
        """Say again where it stands; while a partial file is being read, the answer follows that."""
        if peer.landed is not None:
            self._server.send(peer.id, m.Received(sha256=peer.landed.sha256))
        elif landing.caught_up:
            self._server.send(peer.id, landing.incoming.accept())

    def _catch_up(self, peer: Peer, landing: Landing) -> None:
        if not landing.catch_up(SLICE_BYTES):
            return
        if landing.incoming.complete:
            self._conclude(peer, landing)
        else:
            self._server.send(peer.id, landing.incoming.accept())

    def _conclude(self, peer: Peer, landing: Landing) -> None:
        """Every byte is here. Where none of them came just now, a wrong hash is no damage on the way."""
        incoming = landing.incoming
        was_here = incoming.resumed_bytes == incoming.blob.size_bytes
        verdict = landing.finish()
        if isinstance(verdict, m.Corrupt):
            if not was_here:
                self._server.send(peer.id, verdict)
            self._server.send(peer.id, incoming.accept())
            return
        _check_layout(peer)
        if was_here:
            self._server.send(peer.id, incoming.accept())
        self._server.send(peer.id, verdict)
        peer.landed = incoming.blob


class _Begun:
    """Which updates of the open round were begun before, here or by an earlier controller: something may be left."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._names: set[str] = set()

    def before(self, target: Path) -> bool:
        """Whether this one was; now it is. A round's folder is read once, not for each of its updates."""
        if target.parent != self._folder:
            self._folder = target.parent
            left = os.listdir(self._folder) if self._folder.is_dir() else []
            self._names = {name.partition(".part")[0].rpartition(".")[0] for name in left if name.endswith(".part")}
        known = target.name in self._names
        self._names.add(target.name)
        return known


def _unwritten(peer: Peer, error: OSError) -> StoreError:
    """What to tell a person; an update lies in RUN/updates/ROUND."""
    run = str(peer.update.parents[2]) if peer.update is not None else ""
    return unwritten(f"{peer.update} of {peer.name}", error, run)


def _tensor_bytes(layout: Layout) -> int:
    return sum(DTYPE_BYTES[tensor.dtype] * math.prod(tensor.shape) for tensor in layout.tensors)


def _check_layout(peer: Peer) -> None:
    """Raises BlobError, and removes the file, where it does not hold the tensors that the task asks for."""
    if peer.update is None or peer.layout is None:
        return
    try:
        fault = layout(peer.update).difference(peer.layout)
    except BlobError as error:
        fault = str(error)
    if fault:
        peer.update.unlink()
        raise BlobError(f"the update of agent {peer.name} is not one of the state it was given: {fault}")
