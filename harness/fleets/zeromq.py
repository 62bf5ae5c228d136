"""Real agents: the controller's end of the sockets. Messages in, events out; tasks in, messages out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from harness.errors import BlobError, TransportError
from harness.fleets.local import LocalAgents
from harness.fleets.peers import Peer, Peers
from harness.fleets.provision import Provisioning
from harness.fleets.uploads import Uploads
from harness.profiles import AgentsProfile
from harness.protocol import messages as m
from harness.protocol.codec import decode_beat, decode_to_controller
from harness.rounds.commands import AssignTask, CancelTask
from harness.rounds.events import AgentJoined, AgentLost, AnyEvent, TaskFailed, UpdateReceived
from harness.transport import Arrival, Server


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
        self._run_id = run_id
        self._server = server
        self._provisioning = provisioning
        self._settings = settings
        self._local = local
        self._now = now
        self._peers = Peers()
        self._uploads = Uploads(server)
        self._left_s = now()

    def __enter__(self) -> ZeromqFleet:
        if self._local is not None:
            self._local.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("the run was interrupted" if error else "the run is over")

    def assign(self, task: AssignTask, state: Path, seed: int, update: Path) -> None:
        """Have ``task.agent`` train ``task.client`` from the file ``state``; its update lands in ``update``."""
        blob = m.BlobRef(name="state", sha256=task.state_sha256, size_bytes=state.stat().st_size)
        self._provisioning.shelf.put(blob, state)
        peer = self._peers.named(task.agent)
        if peer is None:
            return  # lost a moment ago: its AgentLost is on the way to the machine
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
        """What happened, after at most ``timeout_s``; returns early when a descriptor of ``wake_fds`` is readable."""
        self._forgive_absence()
        arrivals, _ = self._server.poll(timeout_s, wake_fds)
        events = [event for arrival in arrivals for event in self._take(arrival)]
        events += self._lose_silent()
        if self._local is not None:
            self._local.tend()
        self._left_s = self._now()
        return events

    def close(self, reason: str) -> None:
        """Tell the agents that the run is over and let go of them."""
        if self._server.closed:
            return
        for peer in self._peers:
            self._server.send(peer.id, m.Stop(reason=reason))
        self._peers.clear()
        self._server.close()
        self._provisioning.shelf.close()
        if self._local is not None:
            self._local.stop()

    def _forgive_absence(self) -> None:
        """Heartbeats that came while this process itself was away (stopped, swapped out) are still in the socket."""
        away_s = self._now() - self._left_s
        if away_s > self._settings.heartbeat_s:
            self._peers.forgive(away_s)

    def _take(self, arrival: Arrival) -> list[AnyEvent]:
        try:
            if arrival.beat:
                self._answer_beat(arrival)
                return []
            return self._dispatch(arrival, decode_to_controller(arrival.head))
        except TransportError as error:
            self._server.send(arrival.peer, m.Refused(reason=str(error)), beat=arrival.beat)
            return []

    def _answer_beat(self, arrival: Arrival) -> None:
        beat = decode_beat(arrival.head)
        if not isinstance(beat, m.Beat):
            return
        peer = self._peers.named(beat.agent)
        if peer is None:
            return  # counted as lost: without an echo the agent says Hello again
        peer.seen_s = self._now()
        self._server.send(arrival.peer, m.BeatEcho(number=beat.number), beat=True)

    def _dispatch(self, arrival: Arrival, message: m.ToController) -> list[AnyEvent]:
        if isinstance(message, m.Hello):
            return self._welcome(arrival.peer, message)
        peer = self._peers.get(arrival.peer)
        if peer is None:
            return []  # of an agent that counts as lost
        peer.seen_s = self._now()
        match message:
            case m.Fetch():
                self._serve(peer, message)
            case m.Ready():
                return self._join(peer, message)
            case m.Offer():
                return self._guarded(peer, lambda: self._uploads.offer(peer, message))
            case m.Chunk():
                return self._guarded(peer, lambda: self._uploads.chunk(peer, message.offset, arrival.payload or b""))
            case m.Done():
                return self._done(peer, message)
            case m.Failed():
                return self._failed(peer, message.ref, message.reason)
            case m.Goodbye():
                return self._lose(peer, f"it left: {message.reason}")
        return []

    def _welcome(self, id: bytes, hello: m.Hello) -> list[AnyEvent]:
        if hello.protocol != m.PROTOCOL:
            reason = f"agent {hello.agent} speaks protocol {hello.protocol}, this controller {m.PROTOCOL}: update one"
            self._server.send(id, m.Refused(reason=reason))
            return []
        before, events = self._peers.named(hello.agent), list[AnyEvent]()
        if before is not None:
            alive = self._now() - before.seen_s < 3 * self._settings.heartbeat_s
            if before.host != hello.host and alive:
                reason = f"an agent named {hello.agent} is here from host {before.host}; give one another --name"
                self._server.send(id, m.Refused(reason=reason))
                return []
            events = self._lose(before, "it started again")
        self._peers.add(Peer(id=id, name=hello.agent, host=hello.host, seen_s=self._now()))
        self._server.send(
            id,
            m.Welcome(
                run_id=self._run_id,
                beat_port=self._server.beat_port,
                heartbeat_s=self._settings.heartbeat_s,
                lost_after_s=self._settings.lost_after_s,
            ),
        )
        self._server.send(id, self._provisioning.message)
        return events

    def _join(self, peer: Peer, ready: m.Ready) -> list[AnyEvent]:
        if peer.joined:
            return []
        peer.joined = True
        return [
            AgentJoined(
                at_s=self._now(),
                agent=peer.name,
                host=peer.host,
                provision_s=ready.provision_s,
                ship_s=ready.ship_s,
            )
        ]

    def _serve(self, peer: Peer, fetch: m.Fetch) -> None:
        try:
            for span, data in self._provisioning.shelf.answer(fetch):
                self._server.send(peer.id, m.Chunk(sha256=fetch.sha256, offset=span.offset), data)
        except BlobError as error:
            self._server.send(peer.id, m.Refused(reason=str(error)))

    def _guarded(self, peer: Peer, step: Callable[[], None]) -> list[AnyEvent]:
        """Take bytes of an update; damaged ones fail the task, not the run."""
        try:
            step()
        except BlobError as error:
            ref = peer.task
            if ref is None:
                return []
            self._server.send(peer.id, m.Cancel(ref=ref))
            return self._failed(peer, ref, str(error))
        return []

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
        return [
            TaskFailed(
                at_s=self._now(),
                round=ref.round,
                client=ref.client,
                agent=peer.name,
                attempt=ref.attempt,
                reason=reason,
            )
        ]

    def _lose_silent(self) -> list[AnyEvent]:
        limit_s = self._settings.lost_after_s
        silent = [peer for peer in self._peers if self._now() - peer.seen_s > limit_s]
        return [event for peer in silent for event in self._lose(peer, f"no heartbeat for {limit_s:g} s")]

    def _lose(self, peer: Peer, reason: str) -> list[AnyEvent]:
        self._peers.remove(peer)
        return [AgentLost(at_s=self._now(), agent=peer.name, reason=reason)] if peer.joined else []
