"""Updates on their way in: taken up where an earlier try ended, written as they come, checked by hash."""

from __future__ import annotations

from harness.blobs import Landing
from harness.durable import unwritten
from harness.fleets.peers import Peer
from harness.protocol import messages as m
from harness.transport import Server


class Uploads:
    """The receiving end of all agents' updates; each peer has at most one under way."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def offer(self, peer: Peer, offer: m.Offer) -> None:
        """An update is ready: take it, or send its agent away where the round went on without it.

        Raises:
            BlobError: what landed does not match its hash, for the second time.
            StoreError: it could not be written.
        """
        if peer.task != offer.ref or peer.update is None:
            self._server.send(peer.id, m.Cancel(ref=offer.ref))
            return
        try:
            peer.let_go()  # of an earlier offer of this task: its partial file is taken up
            peer.landing = Landing(offer.blob, peer.update, resume=True)
            self._server.send(peer.id, peer.landing.incoming.accept())
            if peer.landing.incoming.complete:
                self._conclude(peer, peer.landing)
        except OSError as error:
            raise unwritten(f"{peer.update} of {peer.name}", error) from None

    def chunk(self, peer: Peer, chunk: m.Chunk, data: bytes | memoryview) -> None:
        """Bytes of the update that is under way; of any other they are ignored. Raises as :meth:`offer` does."""
        if peer.landing is None or peer.landed_sha256 is not None:
            return
        if chunk.sha256 != peer.landing.incoming.blob.sha256:
            return
        try:
            if peer.landing.arrived(chunk.offset, data):
                self._conclude(peer, peer.landing)
            elif credit := peer.landing.incoming.credit():
                self._server.send(peer.id, credit)
        except OSError as error:
            raise unwritten(f"{peer.update} of {peer.name}", error) from None

    def _conclude(self, peer: Peer, landing: Landing) -> None:
        verdict = landing.finish()
        self._server.send(peer.id, verdict)
        if isinstance(verdict, m.Corrupt):
            self._server.send(peer.id, landing.incoming.accept())
        else:
            peer.landed_sha256 = verdict.sha256
