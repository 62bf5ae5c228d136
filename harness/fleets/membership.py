"""Who takes part: agents that come, come back, get ready, keep in touch, and go."""

from __future__ import annotations

from collections.abc import Callable

from harness.fleets.beside import Beside
from harness.fleets.device_book import CONTROLLER
from harness.fleets.downlinks import Downlinks
from harness.fleets.peers import Peer, Peers
from harness.fleets.refusals import Refusals
from harness.profiles import AgentsProfile
from harness.protocol import messages as m
from harness.rounds.events import AgentJoined, AgentLost, AgentReconnected, AnyEvent
from harness.transport import Server

ALIVE_BEATS = 3
"""An agent heard within so many heartbeats is there: its name is taken."""


class Membership:
    """Decides who is in ``peers``. ``provision`` is what a new agent gets, ``now`` the run's clock.

    ``downlinks`` keep the links of those who are, ``beside`` is told who comes.
    """

    def __init__(
        self,
        run_id: str,
        server: Server,
        provision: m.Provision,
        settings: AgentsProfile,
        peers: Peers,
        refusals: Refusals,
        now: Callable[[], float],
        downlinks: Downlinks | None = None,
        beside: Beside | None = None,
    ) -> None:
        self._downlinks, self._beside = downlinks or Downlinks(), beside or Beside()
        self._run_id = run_id
        self._server = server
        self._provision = provision
        self._settings = settings
        self._peers = peers
        self._refusals = refusals
        self._now = now
        self._left_s = now()
        self._none_before_s = float("-inf")
        """Whoever was heard last can be silent for too long then at the earliest: nobody need be looked at before."""

    def hello(self, id: bytes, hello: m.Hello, user: str = "", address: str = "") -> list[AnyEvent]:
        """An agent came, or came again, from an IP address: welcome and provision it, or refuse it and say why.

        An agent whose session is known takes up its place again: only its connection broke.
        Hellos of connections that are closed by now (an agent repeats it while it waits) change nothing, nor does
        one of an older connection that is read after that of a newer.
        """
        before = self._peers.named(hello.agent)
        if reason := self._refusal(hello, user, before) or self._unreachable(id, hello.agent, address, before):
            self._server.send(id, m.Refused(reason=reason))
            return []
        resumed = before is not None and (before.session, before.user) == (hello.session, user)
        if before is not None and resumed and hello.connection < before.connection:
            return []
        if not self._server.send(id, self._welcome(resumed)):
            return []
        self._server.known(id)
        if before is not None and resumed:
            return self._resume(before, id, hello, address)
        events = self._lose_all([peer for peer in self._peers if peer.id == id or peer is before], "it started again")
        self._peers.add(self._peer(id, hello, user, address))
        self._beside.joined(hello.agent)
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

    def beat(self, id: bytes, beat: m.Beat, user: str = "", received_s: float | None = None) -> None:
        """A heartbeat that came at ``received_s`` of the run's clock (None: now): answer it, with the stamps of both
        clocks. An agent that counts as lost is told so, and says Hello again.

        One in the name of an agent with another key, or of an earlier process of that name, is no sign of life.
        """
        if foreign := self._foreign(beat.agent, user):
            self._refusals.note("name", foreign)
            return
        peer = self._peers.named(beat.agent)
        if peer is None:
            self._echo(id, beat, received_s, known=False)
        elif peer.session != beat.session:
            self._refusals.note("session", f"a heartbeat of agent {beat.agent} is of another process than its Hello")
        else:
            peer.seen_s = self._now()
            # The Hello of this connection may be on its way, or was read before one of an older connection.
            self._echo(id, beat, received_s, known=beat.connection <= peer.connection)

    def _echo(self, id: bytes, beat: m.Beat, received_s: float | None, *, known: bool) -> None:
        now_s = self._now()
        echo = m.BeatEcho(
            number=beat.number,
            known=known,
            beat_sent_s=beat.sent_s,
            received_s=now_s if received_s is None else received_s,
            sent_s=now_s,
        )
        self._server.send(id, echo, beat=True)

    def back(self, planned_s: float = 0.0) -> None:
        """The loop is back, after at most ``planned_s`` if all went well. Was it away for longer (stopped, swapped out,
        busy elsewhere), that silence is not the agents'."""
        away_s = self._now() - self._left_s - planned_s
        if away_s > self._settings.heartbeat_s:
            self._peers.forgive(away_s, self._now())

    def leaves(self) -> None:
        """The loop leaves, to wait or to do something else."""
        self._left_s = self._now()

    def lose_silent(self) -> list[AnyEvent]:
        """Let go of agents that were not heard for too long."""
        limit_s, now_s = self._settings.lost_after_s, self._now()
        if now_s <= self._none_before_s:
            return []
        silent = [peer for peer in self._peers if now_s - peer.seen_s > limit_s]
        events = self._lose_all(silent, f"no heartbeat for {limit_s:g} s")
        self._none_before_s = limit_s + min((peer.seen_s for peer in self._peers), default=now_s)
        return events

    def lose_revoked(self) -> list[AnyEvent]:
        """Let go, at once, of agents whose keys are not allowed any more."""
        revoked = self._server.newly_revoked()
        return self._lose_all([peer for peer in self._peers if peer.user in revoked], "its key was revoked")

    def lose(self, peer: Peer, reason: str) -> list[AnyEvent]:
        """An agent is gone. It is told of one that never got ready, too: nothing else says why nobody comes."""
        self._peers.remove(peer)
        self._downlinks.release(peer.name)
        return [AgentLost(at_s=self._now(), agent=peer.name, reason=reason)]

    def _lose_all(self, peers: list[Peer], reason: str) -> list[AnyEvent]:
        return [event for peer in peers for event in self.lose(peer, reason)]

    def _resume(self, peer: Peer, id: bytes, hello: m.Hello, address: str) -> list[AnyEvent]:
        """Go on over a new connection, and say again what may have been lost with the old one."""
        former = self._peers.get(id)
        events = [] if former is None or former is peer else self.lose(former, "it started again")
        self._peers.rekey(peer, id)
        peer.seen_s, peer.connection, peer.address = self._now(), hello.connection, address
        if not hello.provisioned:
            self._server.send(id, self._provision)
        if hello.holds is not None and hello.holds != peer.task:
            self._server.send(id, m.Cancel(ref=hello.holds))
        if peer.order is not None and peer.task not in (hello.holds, hello.ended):
            self._server.send(id, peer.order)
        return [*events, AgentReconnected(at_s=self._now(), agent=peer.name)]

    def _refusal(self, hello: m.Hello, user: str, before: Peer | None) -> str | None:
        if hello.protocol != m.PROTOCOL:
            return (
                f"agent {hello.agent} speaks protocol {hello.protocol}, this controller {m.PROTOCOL}; "
                "install the same version of federa-bench on both"
            )
        if foreign := self._foreign(hello.agent, user):
            self._refusals.note("name", foreign)
            return foreign
        if hello.agent == CONTROLLER:
            return f"an agent cannot be named {CONTROLLER}: that is what this end is called; give it another --name"
        if before is None or before.host == hello.host or before.session == hello.session:
            return None
        alive = self._now() - before.seen_s < ALIVE_BEATS * self._settings.heartbeat_s
        if not alive:
            return None
        return f"an agent named {hello.agent} is here from host {before.host}; give one of the two another --name"

    def _unreachable(self, id: bytes, agent: str, address: str, before: Peer | None) -> str | None:
        """Why the link to this address cannot be what the profile says; None if it can, as one that is kept already."""
        if before is not None and before.address == address:
            return None
        others = {peer.name: peer.address for peer in self._peers if peer.id != id and peer is not before}
        return self._downlinks.refusal(agent, address, others)

    def _foreign(self, name: str, user: str) -> str | None:
        """Why this key may not speak for an agent of this name; None if it may. Without keys anyone may."""
        if not user:
            return None
        allowed = self._server.name_of(user)
        if allowed is None:
            return f"the key of agent {name} is not allowed here; allow it with: federa-bench keys allow"
        if allowed != name:
            return f"an agent named {name} came with the key of {allowed}; start it with --name {allowed}"
        return None

    def _peer(self, id: bytes, hello: m.Hello, user: str, address: str) -> Peer:
        return Peer(
            id=id,
            name=hello.agent,
            host=hello.host,
            seen_s=self._now(),
            session=hello.session,
            user=user,
            address=address,
            connection=hello.connection,
        )

    def _welcome(self, resumed: bool) -> m.Welcome:
        return m.Welcome(
            run_id=self._run_id,
            beat_port=self._server.beat_port,
            heartbeat_s=self._settings.heartbeat_s,
            lost_after_s=self._settings.lost_after_s,
            resumed=resumed,
        )
