"""Who may take part, and when an agent counts as lost, on a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fleet_stage import hello
from stub_controller import FREE

from harness.fleets.membership import Membership
from harness.fleets.peers import Peers
from harness.profiles import AgentsProfile
from harness.protocol import messages as m
from harness.rounds.events import AgentJoined, AgentLost

PROVISION = m.Provision(base=(), shards=(), init=None, prepare={}, link=FREE, link_seed=0)


class Said:
    """A server that keeps what it is to send."""

    beat_port = 5

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, m.Message]] = []
        self.gone: set[bytes] = set()

    def send(self, peer: bytes, message: m.Message, payload: bytes | None = None, *, beat: bool = False) -> bool:
        self.messages.append((peer, message))
        return peer not in self.gone


class World:
    """Membership with heartbeats every second, lost after eight."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.server: Any = Said()
        self.peers = Peers()
        settings = AgentsProfile(heartbeat_s=1.0, lost_after_s=8.0)
        self.members = Membership("r", self.server, PROVISION, settings, self.peers, lambda: self.now_s)

    def joined(self, id: bytes, **told: Any) -> None:
        self.members.hello(id, hello(**told))
        self.members.ready(self.peers.get(id), m.Ready(provision_s=2.0, ship_s=1.0))

    def pass_s(self, seconds: float, during: Callable[[], None]) -> None:
        """The loop waits for so long; ``during`` is what comes meanwhile."""
        self.members.back()
        self.now_s += seconds
        during()
        self.members.leaves()


@pytest.fixture
def world() -> World:
    return World()


def test_a_new_agent_is_welcomed_provisioned_and_joined_once(world: World) -> None:
    assert world.members.hello(b"1", hello("a")) == []
    assert [type(message) for _, message in world.server.messages] == [m.Welcome, m.Provision]
    peer, ready = world.peers.get(b"1"), m.Ready(provision_s=2.0, ship_s=1.0)
    joined = AgentJoined(at_s=100.0, agent="a", host="here", provision_s=2.0, ship_s=1.0)
    assert world.members.ready(peer, ready) == [joined]
    assert world.members.ready(peer, ready) == []


def test_silence_is_a_loss_and_a_heartbeat_is_answered(world: World) -> None:
    world.joined(b"1", name="quiet")
    world.joined(b"2", name="alive")
    beat = m.Beat(agent="alive", session="0" * 16, number=4, doing="idle")
    world.pass_s(8.5, lambda: world.members.beat(b"beat-2", beat))
    assert world.server.messages[-1] == (b"beat-2", m.BeatEcho(number=4))
    assert world.members.lose_silent() == [AgentLost(at_s=108.5, agent="quiet", reason="no heartbeat for 8 s")]
    assert [peer.name for peer in world.peers] == ["alive"]


def test_a_heartbeat_of_a_lost_agent_gets_no_answer_so_that_it_comes_again(world: World) -> None:
    world.members.beat(b"beat", m.Beat(agent="lost", session="0" * 16, number=1, doing="idle"))
    assert world.server.messages == []


def test_silence_while_the_controller_itself_was_away_is_forgiven(world: World) -> None:
    world.joined(b"1")
    world.now_s += 60.0
    world.members.back()
    assert world.members.lose_silent() == []


@pytest.mark.parametrize(("silent_s", "refused"), [(1.0, True), (4.0, False)])
def test_a_name_is_taken_while_its_agent_on_another_host_is_heard(world: World, silent_s: float, refused: bool) -> None:
    world.joined(b"1", name="jetson", host="left")
    world.now_s += silent_s
    events = world.members.hello(b"2", hello("jetson", host="right"))
    last = world.server.messages[-1]
    if refused:
        assert last == (b"2", m.Refused(reason=last[1].reason))
        assert "another --name" in last[1].reason
        assert world.peers.get(b"1") is not None
    else:
        assert [event.agent for event in events] == ["jetson"]
        assert world.peers.get(b"1") is None


def test_a_hello_of_a_connection_that_is_closed_by_now_evicts_nobody(world: World) -> None:
    world.joined(b"1", name="a1")
    world.server.gone.add(b"0")
    assert world.members.hello(b"0", hello("a1")) == []
    assert world.peers.named("a1") is world.peers.get(b"1")


def test_an_agent_that_says_hello_under_a_new_name_is_lost_under_the_old_one(world: World) -> None:
    world.joined(b"1", name="a1")
    (lost,) = world.members.hello(b"1", hello("a2"))
    assert isinstance(lost, AgentLost)
    assert lost.agent == "a1"
    assert [peer.name for peer in world.peers] == ["a2"]
