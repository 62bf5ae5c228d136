"""Real agents: the controller's end of the sockets. Messages in, events out; tasks in, messages out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from harness.errors import BlobError, TransportError
from harness.fleets.local import LocalAgents
from harness.fleets.membership import Membership
from harness.fleets.peers import Peer, Peers
from harness.fleets.provision import Provisioning
from harness.fleets.uploads import Uploads
from harness.profiles import AgentsProfile
from harness.protocol import messages as m
from harness.protocol.codec import decode_beat, decode_to_controller
from harness.rounds.commands import AssignTask, CancelTask
from harness.rounds.events import AnyEvent, TaskFailed, UpdateReceived
from harness.transport import Arrival, Server

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 0.5


class ZeromqFleet:
    """Agents over ZeroMQ, local or on devices. Implements :class:`harness.fleets.Fleet`."""

    def __init__(
        self,
        run_id: str,
        server: Server,
        provisioning: Provisioning,
        settings: AgentsProfile,
        local: LocalAgents | None,
        now: Callable[[], float],
    ) -> None:
        self._server = server
        self._shelf = provisioning.shelf
        self._local = local
        self._now = now
        self._peers = Peers()
        self._members = Membership(run_id, server, provisioning.message, settings, self._peers, now)
        self._uploads = Uploads(server)
        self.unreadable_messages = 0
        """Messages that could not be read, of strangers and of agents."""

    def __enter__(self) -> ZeromqFleet:
        try:
            if self._local is not None:
                self._local.start()
        except BaseException:
            self.close("the run could not be started")
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("the run was interrupted" if error else "the run is over")

    def assign(self, task: AssignTask, state: Path, seed: int, update: Path) -> None:
        """Have ``task.agent`` train ``task.client`` from the file ``state``; its update lands in ``update``."""
        blob = m.BlobRef(name="state", sha256=task.state_sha256, size_bytes=state.stat().st_size)
        self._shelf.put(blob, state)
        peer = self._peers.named(task.agent)
        if peer is None or not peer.joined:
            return  # lost a moment ago, perhaps back already: its AgentLost is on the way to the machine
        ref = m.TaskRef(round=task.round, client=task.client, attempt=task.attempt)
        peer.begin(ref, update)
        self._server.send(peer.id, m.Task(ref=ref, state=blob, seed=seed))

    def cancel(self, task: CancelTask) -> None:
        """The agent is to stop this task."""
        peer = self._peers.named(task.agent)
        ref = m.TaskRef(round=task.round, client=task.client, attempt=task.attempt)
        if peer is not None and peer.task == ref:
            peer.end()
            self._server.send(peer.id, m.Cancel(ref=ref))

    def wait(self, timeout_s: float, wake_fds: Sequence[int] = ()) -> list[AnyEvent]:
        """What happened, after at most ``timeout_s``; returns early when a descriptor of ``wake_fds`` is readable.

        Raises:
            NoAgentsError: the agents of this machine were started often enough, and nobody is connected.
            StoreError: an update could not be written.
        """
        if self._local is not None:
            self._local.tend(needed=not self._peers)
        self._members.back()
        arrivals, _ = self._server.poll(min(timeout_s, LONGEST_WAIT_S), wake_fds)
        events = [event for arrival in arrivals for event in self._take(arrival)]
        events += self._members.lose_silent()
        self._members.leaves()
        return events

    def close(self, reason: str) -> None:
        """Tell the agents that the run is over and let go of them."""
        if self._server.closed:
            return
        for peer in self._peers:
            self._server.send(peer.id, m.Stop(reason=reason))
        self._peers.clear()
        self._server.close()
        self._shelf.close()
        if self._local is not None:
            self._local.stop()

    def _take(self, arrival: Arrival) -> list[AnyEvent]:
        try:
            if not arrival.beat:
                return self._dispatch(arrival, decode_to_controller(arrival.head))
            beat = decode_beat(arrival.head)
        except TransportError as error:
            return self._refuse(arrival, error)
        if isinstance(beat, m.Beat):
            self._members.beat(arrival.peer, beat)
        return []

    def _refuse(self, arrival: Arrival, error: TransportError) -> list[AnyEvent]:
        """Count what nobody can read; an agent is told, and ends. Only the first is logged: more may be a flood."""
        self.unreadable_messages += 1
        if self.unreadable_messages == 1:
            log.warning("%s (later ones are counted only)", error)
        if arrival.beat:
            return []
        self._server.send(arrival.peer, m.Refused(reason=str(error)))
        peer = self._peers.get(arrival.peer)
        return [] if peer is None else self._members.lose(peer, f"it was refused: {error}")

    def _dispatch(self, arrival: Arrival, message: m.ToController) -> list[AnyEvent]:
        if isinstance(message, m.Hello):
            return self._members.hello(arrival.peer, message)
        peer = self._peers.get(arrival.peer)
        if peer is None:
            return []  # of an agent that counts as lost
        peer.seen_s = self._now()
        match message:
            case m.Ready():
                return self._members.ready(peer, message)
            case m.Goodbye():
                return self._members.lose(peer, f"it left: {message.reason}")
            case m.Done():
                return self._done(peer, message)
            case m.Failed():
                return self._failed(peer, message.ref, message.reason)
            case m.Fetch() | m.Offer() | m.Chunk():
                return self._move(peer, message, arrival.payload or b"")
        return []

    def _move(self, peer: Peer, message: m.Fetch | m.Offer | m.Chunk, data: bytes | memoryview) -> list[AnyEvent]:
        """Bytes either way; damaged ones fail the task, not the run."""
        try:
            match message:
                case m.Fetch():
                    self._serve(peer, message)
                case m.Offer():
                    self._uploads.offer(peer, message)
                case m.Chunk():
                    self._uploads.chunk(peer, message, data)
        except BlobError as error:
            return self._unmoved(peer, error)
        return []

    def _serve(self, peer: Peer, fetch: m.Fetch) -> None:
        for span, data in self._shelf.answer(fetch):
            self._server.send(peer.id, m.Chunk(sha256=fetch.sha256, offset=span.offset), data)

    def _unmoved(self, peer: Peer, error: BlobError) -> list[AnyEvent]:
        if peer.task is not None:
            self._server.send(peer.id, m.Cancel(ref=peer.task))
            return self._failed(peer, peer.task, str(error))
        if not peer.joined:
            self._server.send(peer.id, m.Refused(reason=str(error)))
        return []  # late word of a task that was cancelled

    def _done(self, peer: Peer, done: m.Done) -> list[AnyEvent]:
        if peer.task != done.ref or peer.landed_sha256 is None:
            return []
        # Who sent it and what landed is known here; an agent's word on it is not taken.
        record = msgspec.structs.replace(
            done.record,
            agent=peer.name,
            round=done.ref.round,
            client=done.ref.client,
            attempt=done.ref.attempt,
            update_sha256=peer.landed_sha256,
        )
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
