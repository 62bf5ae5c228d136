"""Who is connected: an agent, what it does at the moment, and the update that is coming from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.blobs import Landing
from harness.protocol.messages import BlobRef, Task, TaskRef
from harness.tensorfile import Layout


@dataclass
class Peer:
    """One agent, from its Hello until it is lost.

    ``id`` is the routing id of its present main socket and ``connection`` its number, ``session`` what its process drew
    at its start, ``user`` its public key (empty on a plain socket). ``order`` is the message of its task, ``layout``
    what the task's update has to look like, ``landed`` the update once it has landed whole in ``update``.
    """

    id: bytes
    name: str
    host: str
    seen_s: float
    session: str = ""
    user: str = ""
    connection: int = 1
    joined: bool = False
    order: Task | None = None
    update: Path | None = None
    layout: Layout | None = None
    landing: Landing | None = None
    landed: BlobRef | None = None

    @property
    def task(self) -> TaskRef | None:
        """The task that it was given."""
        return None if self.order is None else self.order.ref

    @property
    def behind(self) -> bool:
        """Whether a partial file of its update is still being read."""
        return self.landing is not None and not self.landing.caught_up

    def begin(self, order: Task, update: Path, layout: Layout) -> None:
        """A task was sent to it; its update is to land in ``update``."""
        self.end()
        self.order, self.update, self.layout = order, update, layout

    def end(self) -> None:
        """It has no task any more."""
        self.let_go()
        self.order = self.update = self.layout = None

    def let_go(self) -> None:
        """No update is under way any more; bytes that landed in part stay where they are."""
        if self.landing is not None:
            self.landing.close()
        self.landing = self.landed = None


class Peers:
    """The agents that are connected, by routing id and by name."""

    def __init__(self) -> None:
        self._by_id: dict[bytes, Peer] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._by_id.values()))

    def get(self, id: bytes) -> Peer | None:
        """The peer of this routing id."""
        return self._by_id.get(id)

    def named(self, name: str) -> Peer | None:
        """The peer of this agent name."""
        return next((peer for peer in self._by_id.values() if peer.name == name), None)

    def add(self, peer: Peer) -> None:
        """A new agent is here."""
        self._by_id[peer.id] = peer

    def rekey(self, peer: Peer, id: bytes) -> None:
        """An agent is here over a new connection: what it does stays; the old connection says nothing any more."""
        del self._by_id[peer.id]
        peer.id = id
        self._by_id[id] = peer

    def remove(self, peer: Peer) -> None:
        """An agent is lost."""
        peer.end()
        del self._by_id[peer.id]

    def forgive(self, away_s: float, now_s: float) -> None:
        """Nobody could be heard for ``away_s`` seconds: that silence is not theirs."""
        for peer in self._by_id.values():
            peer.seen_s = min(now_s, peer.seen_s + away_s)

    def clear(self) -> None:
        """Nobody is here any more."""
        for peer in self:
            self.remove(peer)
