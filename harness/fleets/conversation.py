"""What agents say, and what it means: messages in, events out. Nobody speaks for another, and nothing counts twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import partial

from harness.errors import BlobError, ShapingError, TransportError
from harness.fleets.beside import Beside
from harness.fleets.claims import fault_of
from harness.fleets.downlinks import Downlinks
from harness.fleets.late import LateUpdates
from harness.fleets.membership import Membership
from harness.fleets.peers import Peer, Peers
from harness.fleets.receipts import Receipts
from harness.fleets.refusals import Kind, Refusals
from harness.fleets.shelf import Shelf
from harness.fleets.uploads import Uploads
from harness.protocol import messages as m
from harness.protocol.codec import decode_beat, decode_to_controller
from harness.rounds.events import AnyEvent, TaskFailed, UpdateLate, UpdateReceived
from harness.transport import Arrival, Server


class Conversation:
    """The talk with all agents. ``late`` knows whose updates counted, ``now`` is the run's clock.

    ``untimed`` are the blobs that are fetched as fast as they come; for all others the agent's link is kept by
    ``downlinks``. ``beside`` takes what is said beside the rounds.
    """

    def __init__(
        self,
        server: Server,
        shelf: Shelf,
        peers: Peers,
        members: Membership,
        late: LateUpdates,
        refusals: Refusals,
        now: Callable[[], float],
        untimed: Collection[str] = (),
        downlinks: Downlinks | None = None,
        beside: Beside | None = None,
    ) -> None:
        self._untimed, self._downlinks, self._beside = untimed, downlinks or Downlinks(), beside or Beside()
        self._server = server
        self._shelf = shelf
        self._peers = peers
        self._members = members
        self._uploads = Uploads(server)
        self._receipts = Receipts(self._downlinks, self._beside, refusals, now)
        self._late = late
        self._refusals = refusals
        self._now = now

    @property
    def behind(self) -> bool:
        """Whether there is something to do that no message tells of: see :meth:`catch_up`."""
        return self._uploads.behind is not None

    def catch_up(self) -> list[AnyEvent]:
        """Read on in the partial files of updates, one slice of one file: heartbeats are waiting."""
        peer = self._uploads.behind
        return [] if peer is None else self._move(peer, partial(self._uploads.catch_up, peer))

    def take(self, arrival: Arrival) -> list[AnyEvent]:
        """A message came.

        Raises:
            StoreError: an update could not be written.
        """
        peer = None if arrival.beat else self._peers.get(arrival.peer)
        if peer is not None and peer.user != arrival.user:
            return self._refuse_key(arrival, peer)
        try:
            if not arrival.beat:
                return self._dispatch(arrival, peer, decode_to_controller(arrival.head))
            beat = decode_beat(arrival.head)
        except TransportError as error:
            return self._refuse_unreadable(arrival, peer, error)
        if isinstance(beat, m.Beat):
            self._members.beat(arrival.peer, beat, arrival.user, self._came_s(arrival))
        return []

    def _came_s(self, arrival: Arrival) -> float:
        """The run's clock as a message was taken from its socket."""
        since_s = 0.0 if arrival.at_s is None else time.monotonic() - arrival.at_s
        return self._now() - since_s

    def _note(self, peer: Peer, kind: Kind, fault: str | None) -> None:
        """Something beside the rounds cannot be kept: it is dropped."""
        if fault:
            self._refusals.note(kind, f"a {kind} message of agent {peer.name} was dropped: {fault}")

    def _keep_link(self, peer: Peer) -> list[AnyEvent]:
        """See that the link to an agent is kept from now on; one whose link cannot be kept cannot take part."""
        try:
            self._downlinks.keep(peer.name, peer.address)
        except ShapingError as error:
            self._server.send(peer.id, m.Refused(reason=str(error)))
            return self._members.lose(peer, f"its link cannot be kept: {error}")
        return []

    def _refuse_key(self, arrival: Arrival, peer: Peer) -> list[AnyEvent]:
        reason = f"a message over the connection of agent {peer.name} came with another key than its Hello"
        self._refusals.note("key", reason)
        self._server.send(arrival.peer, m.Refused(reason=reason))
        return []

    def _refuse_unreadable(self, arrival: Arrival, peer: Peer | None, error: TransportError) -> list[AnyEvent]:
        """Count what nobody can read; an agent is told, and ends."""
        self._refusals.note("unreadable", str(error))
        if not arrival.beat:
            self._server.send(arrival.peer, m.Refused(reason=str(error)))
        return [] if peer is None else self._members.lose(peer, f"it was refused: {error}")

    def _dispatch(self, arrival: Arrival, peer: Peer | None, message: m.ToController) -> list[AnyEvent]:
        if isinstance(message, m.Hello):
            return self._members.hello(arrival.peer, message, arrival.user, arrival.address)
        if peer is None:
            return []  # of an agent that counts as lost, or is here over another connection by now
        peer.seen_s = self._now()
        match message:
            case m.Ready():
                return self._keep_link(peer) or self._members.ready(peer, message)
            case m.Telemetry():
                self._note(peer, "telemetry", self._beside.sampled(peer.name, message))
            case m.DeviceReport():
                self._note(peer, "device", self._beside.reported(peer.name, message.report))
            case m.Goodbye():
                return self._members.lose(peer, f"it left: {message.reason}")
            case m.Done():
                return self._done(peer, message)
            case m.Failed():
                return self._failed(peer, message.ref, message.reason)
            case m.Fetch():
                return self._serve(peer, message)
            case m.Offer():
                return self._offered(peer, message)
            case m.Chunk():
                return self._move(peer, partial(self._uploads.chunk, peer, message, arrival.payload or b""))
        return []

    def _offered(self, peer: Peer, offer: m.Offer) -> list[AnyEvent]:
        if peer.task != offer.ref:
            return self._not_waited_for(peer, offer.ref)
        return self._move(peer, partial(self._uploads.offer, peer, offer.blob))

    def _move(self, peer: Peer, step: Callable[[], None]) -> list[AnyEvent]:
        """A step of an upload; what cannot be an update fails the task, not the run."""
        try:
            step()
        except BlobError as error:
            return self._give_up(peer, str(error))
        return []

    def _serve(self, peer: Peer, fetch: m.Fetch) -> list[AnyEvent]:
        """Send what was asked for. It is read chunk by chunk, and no further where the socket takes no more."""
        of_its_task = peer.fetches(fetch.sha256)
        if fetch.sha256 not in self._untimed and (events := self._keep_link(peer)):
            return events
        try:
            for span, data in self._shelf.answer(fetch):
                if not self._server.send(peer.id, m.Chunk(sha256=fetch.sha256, offset=span.offset), data):
                    break
        except BlobError as error:
            if of_its_task:
                return self._give_up(peer, str(error))
            if not peer.joined:
                self._server.send(peer.id, m.Refused(reason=str(error)))
        return []  # a request of a task that was cancelled may come late

    def _give_up(self, peer: Peer, reason: str) -> list[AnyEvent]:
        """The present task of an agent comes to nothing; the agent is told."""
        if peer.task is None:
            return []
        self._server.send(peer.id, m.Cancel(ref=peer.task))
        return self._failed(peer, peer.task, reason)

    def _not_waited_for(self, peer: Peer, ref: m.TaskRef) -> list[AnyEvent]:
        """The round went on without it, or it counted already and is said again."""
        self._server.send(peer.id, m.Cancel(ref=ref))
        if not self._late.is_news(peer.name, ref):
            return []
        late = UpdateLate(at_s=self._now(), round=ref.round, client=ref.client, agent=peer.name, attempt=ref.attempt)
        return [late]

    def _done(self, peer: Peer, done: m.Done) -> list[AnyEvent]:
        if peer.task != done.ref:
            return [] if self._late.counted(peer.name, done.ref) else self._not_waited_for(peer, done.ref)
        if peer.landed is None:
            return self._failed(peer, done.ref, "its agent says it is done, but no update of it has landed")
        if fault := fault_of(done.record, peer.downloads_bytes, peer.landed.size_bytes):
            return self._failed(peer, done.ref, f"what its agent says of it cannot be true: {fault}")
        record = self._receipts.record(peer, done, peer.landed)
        self._late.count(peer.name, done.ref)
        peer.end()
        return [UpdateReceived(at_s=self._now(), record=record)]

    def _failed(self, peer: Peer, ref: m.TaskRef, reason: str) -> list[AnyEvent]:
        if peer.task != ref:
            return []
        peer.end()
        failed = TaskFailed(
            at_s=self._now(),
            round=ref.round,
            client=ref.client,
            agent=peer.name,
            attempt=ref.attempt,
            reason=reason,
        )
        return [failed]
