"""Real agents: the controller's end of the sockets. Tasks in, messages out; what agents say becomes events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from harness.fleets.beside import Beside
from harness.fleets.conversation import Conversation
from harness.fleets.downlinks import Downlinks
from harness.fleets.late import LateUpdates
from harness.fleets.local import LocalAgents
from harness.fleets.membership import Membership
from harness.fleets.peers import Peers
from harness.fleets.provision import Provisioning
from harness.fleets.refusals import Kind, Refusals
from harness.learning.outgoing import Outgoing
from harness.profiles import AgentsProfile
from harness.protocol import messages as m
from harness.rounds.commands import AssignTask, CancelTask
from harness.rounds.events import AnyEvent, UpdateReceived
from harness.transport import Server

LONGEST_WAIT_S = 0.5


class ZeromqFleet:
    """Agents over ZeroMQ, local or on devices. Implements :class:`harness.fleets.Fleet`.

    ``downlinks`` keep the links towards them (by default they do so themselves), ``beside`` takes what they tell beside
    the rounds.
    """

    def __init__(
        self,
        run_id: str,
        server: Server,
        provisioning: Provisioning,
        settings: AgentsProfile,
        local: LocalAgents | None,
        now: Callable[[], float],
        downlinks: Downlinks | None = None,
        beside: Beside | None = None,
    ) -> None:
        self._server = server
        self._downlinks, beside = downlinks or Downlinks(), beside or Beside()
        self._shelf = provisioning.shelf
        self._local = local
        self._now = now
        self._peers, self._refusals = Peers(), Refusals()
        message, untimed = provisioning.message, provisioning.untimed
        self._members = Membership(
            run_id, server, message, settings, self._peers, self._refusals, now, self._downlinks, beside
        )
        self._talk = Conversation(
            server,
            self._shelf,
            self._peers,
            self._members,
            LateUpdates([shard.name for shard in message.shards]),
            self._refusals,
            now,
            untimed,
            self._downlinks,
            beside,
        )

    @property
    def refused(self) -> Counter[Kind]:
        """What was refused of messages that came through the sockets, by kind."""
        return self._refusals.counts

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

    def assign(self, task: AssignTask, given: Outgoing, seed: int, update: Path) -> None:
        """Have ``task.agent`` train ``task.client`` from what it is ``given``; its update lands in ``update``."""
        state = self._offer(task.round, "state", given.sha256, given.whole)
        less = None
        if (lean := given.lean) is not None:
            less = m.LeanState(blob=self._offer(task.round, "lean", lean.sha256, lean.path), since=lean.since)
        peer = self._peers.named(task.agent)
        if peer is None or not peer.joined:
            return  # lost a moment ago, perhaps back already: its AgentLost is on the way to the machine
        ref = m.TaskRef(round=task.round, client=task.client, attempt=task.attempt)
        order = m.Task(ref=ref, state=state, seed=seed, lean=less)
        peer.begin(order, update, given.update)
        self._server.send(peer.id, order)

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
            ShapingError: the kernel does not keep the agents' links any more.
        """
        self._downlinks.check()
        if self._local is not None:
            self._local.tend(needed=not self._peers)
        self._members.back()
        wait_s = 0.0 if self._talk.behind else min(timeout_s, LONGEST_WAIT_S)
        self._members.leaves()
        arrivals, _ = self._server.poll(wait_s, wake_fds)
        self._members.back(wait_s)
        events = self._members.lose_revoked()
        events += [event for arrival in arrivals for event in self._talk.take(arrival)]
        events += self._talk.catch_up()
        events += self._members.lose_silent()
        events += self._refusals.news(self._server.refused, self._now())
        self._members.leaves()
        self._note_use(events)
        return events

    def close(self, reason: str) -> None:
        """Tell the agents that the run is over and let go of them."""
        if self._server.closed:
            return
        for peer in self._peers:
            self._server.send(peer.id, m.Stop(reason=reason))
        self._peers.clear()
        self._downlinks.close()
        self._server.close()
        self._shelf.close()
        if self._local is not None:
            self._local.stop()

    def _offer(self, round: int, name: str, sha256: str, path: Path) -> m.BlobRef:
        """Put a file of a round on the shelf."""
        blob = m.BlobRef(name=name, sha256=sha256, size_bytes=path.stat().st_size)
        self._shelf.put_for(round, blob, path)
        return blob

    def _note_use(self, events: list[AnyEvent]) -> None:
        """An agent of this machine whose update came is worth being started again, should it die."""
        for event in events:
            if self._local is not None and isinstance(event, UpdateReceived):
                self._local.useful(event.record.agent)
