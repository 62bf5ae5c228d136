"""Who takes part: agents that come, get ready, keep in touch, and go."""

from __future__ import annotations

from collections.abc import Callable

from harness.fleets.peers import Peer, Peers
from harness.profiles import AgentsProfile
from harness.protocol import messages as m
from harness.rounds.events import AgentJoined, AgentLost, AnyEvent
from harness.transport import Server

ALIVE_BEATS = 3
"""An agent heard within so many heartbeats is there: its name is taken."""


class Membership:
    """Decides who is in ``peers``. ``provision`` is what a new agent gets, ``now`` the run's clock."""

    def __init__(
        self,
        run_id: str,
        server: Server,
        provision: m.Provision,
        settings: AgentsProfile,
        peers: Peers,
        now: Callable[[], float],
    ) -> None:
        self._run_id = run_id
        self._server = server
        self._provision = provision
        self._settings = settings
        self._peers = peers
        self._now = now
        self._left_s = now()

    def hello(self, id: bytes, hello: m.Hello) -> list[AnyEvent]:
        """An agent came, or came again: welcome and provision it, or refuse it and say why.

        Hellos of connections that are closed by now (an agent repeats it while it waits) change nothing.
        """
        before = self._peers.named(hello.agent)
        if reason := self._refusal(hello, before):
            self._server.send(id, m.Refused(reason=reason))
            return []
        if not self._server.send(id, self._welcome()):
            return []
        former = [peer for peer in self._peers if peer.id == id or peer is before]
        events = [event for peer in former for event in self.lose(peer, "it started again")]
        self._peers.add(Peer(id=id, name=hello.agent, host=hello.host, seen_s=self._now()))
        self._server.send(id, self._provision)
        return events

    def ready(self, peer: Peer, ready: m.Ready) -> list[AnyEvent]:
        """An agent has everything in place; from now on it gets tasks."""
        if peer.joined:
            return []
        peer.joined = True
        joined = AgentJoined(
            at_s=self._now(),
            agent=peer.name,
            host=peer.host,
            provision_s=ready.provision_s,
            ship_s=ready.ship_s,
        )
        return [joined]

    def beat(self, id: bytes, beat: m.Beat) -> None:
        """A heartbeat: answer it. One of an agent that counts as lost gets no answer, so that it says Hello again."""
        peer = self._peers.named(beat.agent)
        if peer is not None:
            peer.seen_s = self._now()
            self._server.send(id, m.BeatEcho(number=beat.number), beat=True)

    def back(self) -> None:
        """The loop is back. If it was away for long (stopped, swapped out), that silence is not the agents'."""
        away_s = self._now() - self._left_s
        if away_s > self._settings.heartbeat_s:
            self._peers.forgive(away_s)

    def leaves(self) -> None:
        """The loop leaves to do something else."""
        self._left_s = self._now()

    def lose_silent(self) -> list[AnyEvent]:
        """Let go of agents that were not heard for too long."""
        limit_s = self._settings.lost_after_s
        silent = [peer for peer in self._peers if self._now() - peer.seen_s > limit_s]
        return [event for peer in silent for event in self.lose(peer, f"no heartbeat for {limit_s:g} s")]

    def lose(self, peer: Peer, reason: str) -> list[AnyEvent]:
        """An agent is gone. It is told of one that never got ready, too: nothing else says why nobody comes."""
        self._peers.remove(peer)
        return [AgentLost(at_s=self._now(), agent=peer.name, reason=reason)]

    def _refusal(self, hello: m.Hello, before: Peer | None) -> str | None:
        if hello.protocol != m.PROTOCOL:
            return (
                f"agent {hello.agent} speaks protocol {hello.protocol}, this controller {m.PROTOCOL}; "
                "install the same version of federa-bench on both"
            )
        if before is None or before.host == hello.host:
            return None
        alive = self._now() - before.seen_s < ALIVE_BEATS * self._settings.heartbeat_s
        if not alive:
            return None
        return f"an agent named {hello.agent} is here from host {before.host}; give one of the two another --name"

    def _welcome(self) -> m.Welcome:
        return m.Welcome(
            run_id=self._run_id,
            beat_port=self._server.beat_port,
            heartbeat_s=self._settings.heartbeat_s,
            lost_after_s=self._settings.lost_after_s,
        )
