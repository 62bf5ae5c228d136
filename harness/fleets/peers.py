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

    ``id`` is the routing id of its present main socket and ``connection`` its number, ``address`` the IP address at its
    end, ``session`` what its process drew at its start, ``user`` its public key (empty on a plain socket).
    ``order`` is the message of its task, ``fetched`` the hashes of those of the task's blobs that it asked for,
    ``layout`` what the task's update has to look like, ``landed`` the update once it has landed whole in ``update``.
    """

    id: bytes
    name: str
    host: str
    seen_s: float
    session: str = ""
    user: str = ""
    address: str = ""
    connection: int = 1
    joined: bool = False
    order: Task | None = None
    fetched: frozenset[str] = frozenset()
    update: Path | None = None
    layout: Layout | None = None
    landing: Landing | None = None
    landed: BlobRef | None = None

    @property
    def task(self) -> TaskRef | None:
        """The task that it was given."""
        return None if self.order is None else self.order.ref

    @property
    def blobs(self) -> tuple[BlobRef, ...]:
        """What it may fetch for its task: the state, or less."""
        if self.order is None:
            return ()
        return (self.order.state,) if self.order.lean is None else (self.order.state, self.order.lean.blob)

    @property
    def downloads_bytes(self) -> frozenset[int]:
        """What its task's download may have been, in bytes: one of the blobs that it asked for.

        An agent that finished the task in an earlier try asks for none, and tells of what it fetched then.
        """
        fetched = [blob for blob in self.blobs if blob.sha256 in self.fetched]
        return frozenset(blob.size_bytes for blob in fetched or self.blobs)

    def fetches(self, sha256: str) -> bool:
        """It asked for a blob; returns whether that is one of its task's."""
        if all(blob.sha256 != sha256 for blob in self.blobs):
            return False
        self.fetched |= {sha256}
        return True

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
        self.fetched = frozenset()

    def let_go(self) -> None:
        """No update is under way any more; bytes that landed in part stay where they are."""
        if self.landing is not None:
            self.landing.close()
        self.landing = self.landed = None


class Peers:
    """The agents that are connected, by routing id and by name."""

    def __init__(self) -> None:
        self._by_id: dict[bytes, Peer] = {}
        self._by_name: dict[str, Peer] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._by_id.values()))

    def get(self, id: bytes) -> Peer | None:
        """The peer of this routing id."""
        return self._by_id.get(id)

    def named(self, name: str) -> Peer | None:
        """The peer of this agent name."""
        return self._by_name.get(name)

    def add(self, peer: Peer) -> None:
        """A new agent is here."""
        self._by_id[peer.id] = self._by_name[peer.name] = peer

    def rekey(self, peer: Peer, id: bytes) -> None:
        """An agent is here over a new connection: what it does stays; the old connection says nothing any more."""
        del self._by_id[peer.id]
        peer.id = id
        self._by_id[id] = peer

    def remove(self, peer: Peer) -> None:
        """An agent is lost."""
        peer.end()
        del self._by_id[peer.id], self._by_name[peer.name]

    def forgive(self, away_s: float, now_s: float) -> None:
        """Nobody could be heard for ``away_s`` seconds: that silence is not theirs."""
        for peer in self._by_id.values():
            peer.seen_s = min(now_s, peer.seen_s + away_s)

    def clear(self) -> None:
        """Nobody is here any more."""
        for peer in self:
            self.remove(peer)
