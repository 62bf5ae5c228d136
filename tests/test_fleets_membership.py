"""Who may take part, and when an agent counts as lost, on a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from fleet_stage import SESSION, hello
from stub_controller import FREE, blob

from harness.fleets.beside import Beside
from harness.fleets.downlinks import Downlinks
from harness.fleets.membership import Membership
from harness.fleets.peers import Peer, Peers
from harness.fleets.refusals import Refusals
from harness.profiles import AgentsProfile
from harness.protocol import messages as m
from harness.rounds.events import AgentJoined, AgentLost, AgentReconnected
from harness.tensorfile import Layout

PROVISION = m.Provision(base=(), shards=(), init=None, prepare={}, link=FREE, link_seed=0)


OTHER_SESSION = "f" * 16


class Said:
    """A server that keeps what it is to send. With ``names``, by key, it is one that asks for keys."""

    beat_port = 5

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.revoked: set[str] = set()
        self.welcomed: list[bytes] = []
        self.messages: list[tuple[bytes, m.Message]] = []
        self.gone: set[bytes] = set()

    def send(self, peer: bytes, message: m.Message, payload: bytes | None = None, *, beat: bool = False) -> bool:
        self.messages.append((peer, message))
        return peer not in self.gone

    def name_of(self, user: str) -> str | None:
        return self.names.get(user)

    def newly_revoked(self) -> set[str]:
        revoked, self.revoked = self.revoked, set()
        return revoked

    def known(self, peer: bytes) -> None:
        self.welcomed.append(peer)


class Links(Downlinks):
    """Links that are kept for agents of other machines."""

    def __init__(self) -> None:
        self.released: list[str] = []

    def refusal(self, agent: str, address: str, others: Mapping[str, str]) -> str | None:
        return f"{agent} is where {dict(others)} are" if address and address in others.values() else None

    def release(self, agent: str) -> None:
        self.released.append(agent)


class Comings(Beside):
    def __init__(self) -> None:
        self.came: list[str] = []

    def joined(self, agent: str) -> None:
        self.came.append(agent)


class World:
    """Membership with heartbeats every second, lost after eight."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.server: Any = Said()
        self.peers, self.refusals = Peers(), Refusals()
        settings = AgentsProfile(heartbeat_s=1.0, lost_after_s=8.0)
        self.links, self.beside = Links(), Comings()
        around = (self.peers, self.refusals, lambda: self.now_s, self.links, self.beside)
        self.members = Membership("r", self.server, PROVISION, settings, *around)

    def joined(self, id: bytes, user: str = "", address: str = "", **told: Any) -> Peer:
        self.members.hello(id, hello(**told), user, address)
        peer = self.peers.get(id)
        assert peer is not None
        self.members.ready(peer, m.Ready(provision_s=2.0, ship_s=1.0))
        return peer

    def said_since(self, count: int) -> list[type[m.Message]]:
        return [type(message) for _, message in self.server.messages[count:]]

    def pass_s(self, seconds: float, during: Callable[[], None]) -> None:
        """The loop waits for so long; ``during`` is what comes meanwhile."""
        self.members.leaves()
        self.now_s += seconds
        self.members.back(planned_s=seconds)
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
    beat = m.Beat(agent="alive", session=SESSION, number=4, doing="idle")
    world.pass_s(8.5, lambda: world.members.beat(b"beat-2", beat))
    assert world.server.messages[-1] == (b"beat-2", m.BeatEcho(number=4, received_s=108.5, sent_s=108.5))
    assert world.members.lose_silent() == [AgentLost(at_s=108.5, agent="quiet", reason="no heartbeat for 8 s")]
    assert [peer.name for peer in world.peers] == ["alive"]


def test_silence_over_many_turns_of_the_loop_is_a_loss_too(world: World) -> None:
    world.joined(b"1", name="quiet")
    for _ in range(8):
        world.pass_s(1.0, lambda: None)
    assert world.members.lose_silent() == []
    world.pass_s(1.0, lambda: None)
    assert [event.agent for event in world.members.lose_silent()] == ["quiet"]


def test_a_wait_that_ends_before_its_time_is_no_silence(world: World) -> None:
    peer = world.joined(b"1")
    seen_s = peer.seen_s
    world.members.leaves()
    world.now_s += 1.0
    world.members.back(5.0)
    assert peer.seen_s == seen_s


def test_an_agent_that_counts_as_lost_is_told_so_that_it_comes_again(world: World) -> None:
    world.members.beat(b"beat", m.Beat(agent="lost", session=SESSION, number=1, doing="idle", sent_s=7.5), "", 99.5)
    echo = m.BeatEcho(number=1, known=False, beat_sent_s=7.5, received_s=99.5, sent_s=100.0)
    assert world.server.messages == [(b"beat", echo)], "the four stamps of the two clocks, but for the last"


def test_a_heartbeat_of_an_earlier_process_of_that_name_is_no_sign_of_life(world: World) -> None:
    world.joined(b"1", name="a")
    said = len(world.server.messages)
    beat = m.Beat(agent="a", session=OTHER_SESSION, number=1, doing="idle")
    world.pass_s(8.5, lambda: world.members.beat(b"beat", beat))
    assert world.server.messages[said:] == []
    assert [event.agent for event in world.members.lose_silent()] == ["a"]
    assert world.refusals.counts["session"] == 1


def test_silence_while_the_controller_itself_was_away_is_forgiven(world: World) -> None:
    world.joined(b"1")
    world.now_s += 60.0
    world.members.back()
    assert world.members.lose_silent() == []


def test_a_controller_that_was_stopped_while_it_waited_forgives_that_silence_too(world: World) -> None:
    world.joined(b"1")
    world.members.leaves()
    world.now_s += 60.0
    world.members.back(planned_s=0.5)
    assert world.members.lose_silent() == []
    assert world.peers.get(b"1").seen_s <= world.now_s


@pytest.mark.parametrize(("silent_s", "refused"), [(1.0, True), (4.0, False)])
def test_a_name_is_taken_while_its_agent_on_another_host_is_heard(world: World, silent_s: float, refused: bool) -> None:
    world.joined(b"1", name="jetson", host="left")
    world.now_s += silent_s
    events = world.members.hello(b"2", hello("jetson", host="right", session=OTHER_SESSION))
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


def test_a_hello_that_is_read_after_that_of_a_newer_connection_changes_nothing(world: World) -> None:
    peer = world.joined(b"1", name="a")
    world.members.hello(b"3", hello("a", provisioned=True, connection=3))
    said = len(world.server.messages)
    assert world.members.hello(b"2", hello("a", provisioned=True, connection=2)) == []
    assert (world.peers.get(b"3"), world.said_since(said)) == (peer, [])
    world.members.hello(b"4", hello("a", provisioned=True, connection=4))
    assert world.peers.get(b"4") is peer


def test_an_agent_that_is_taken_for_one_of_an_older_connection_is_told_by_its_heartbeats(world: World) -> None:
    """Hellos in a wrong order: of a new process's second connection, of the old process, of the first connection."""
    for id, session, connection in ((b"3", OTHER_SESSION, 2), (b"1", SESSION, 1), (b"2", OTHER_SESSION, 1)):
        world.members.hello(id, hello("a", session=session, connection=connection))
    beats = [m.Beat(agent="a", session=OTHER_SESSION, number=4, doing="idle", connection=n) for n in (2, 1)]
    for beat in beats:
        world.members.beat(b"beat", beat)
    assert [message.known for _, message in world.server.messages[-2:]] == [False, True]


def test_an_agent_that_says_hello_under_a_new_name_is_lost_under_the_old_one(world: World) -> None:
    world.joined(b"1", name="a1")
    (lost,) = world.members.hello(b"1", hello("a2"))
    assert isinstance(lost, AgentLost)
    assert lost.agent == "a1"
    assert [peer.name for peer in world.peers] == ["a2"]


def given(peer: Peer, round: int = 1) -> m.Task:
    """The peer has a task."""
    ref = m.TaskRef(round=round, client=3, attempt=1)
    order = m.Task(ref=ref, state=blob("state", b"state"), seed=1)
    peer.begin(order, Path("update"), Layout(()))
    return order


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"holds": 1}, [m.Welcome]),
        ({"ended": 1}, [m.Welcome]),
        ({}, [m.Welcome, m.Task]),
        ({"holds": 7}, [m.Welcome, m.Cancel, m.Task]),
        ({"holds": 7, "ended": 1}, [m.Welcome, m.Cancel]),
        ({"provisioned": False}, [m.Welcome, m.Provision, m.Task]),
    ],
)
def test_over_a_new_connection_what_may_be_lost_is_said_again_and_nothing_else(
    world: World, told: dict[str, Any], said: list[type[m.Message]]
) -> None:
    peer = world.joined(b"1", name="a")
    order, before = given(peer), len(world.server.messages)
    refs = {key: m.TaskRef(round=told[key], client=3, attempt=1) for key in ("holds", "ended") if key in told}
    again = hello("a", **({"provisioned": True} | told | refs))
    assert world.members.hello(b"2", again) == [AgentReconnected(at_s=100.0, agent="a")]
    assert world.said_since(before) == said
    assert {id for id, _ in world.server.messages[before:]} == {b"2"}
    assert world.server.messages[before][1].resumed
    assert world.peers.get(b"1") is None
    assert world.peers.get(b"2") is peer
    assert (peer.joined, peer.task) == (True, order.ref)


def test_a_task_that_is_over_here_is_called_off_over_a_new_connection(world: World) -> None:
    world.joined(b"1", name="a")
    before, held = len(world.server.messages), m.TaskRef(round=1, client=3, attempt=1)
    world.members.hello(b"2", hello("a", provisioned=True, holds=held))
    assert world.server.messages[before + 1 :] == [(b"2", m.Cancel(ref=held))]


def test_another_session_is_another_process_and_begins_anew(world: World) -> None:
    given(world.joined(b"1", name="a"))
    (lost,) = world.members.hello(b"2", hello("a", session=OTHER_SESSION, provisioned=True))
    assert (lost.agent, lost.reason) == ("a", "it started again")
    assert world.said_since(-2) == [m.Welcome, m.Provision]
    assert not world.server.messages[-2][1].resumed
    peer = world.peers.named("a")
    assert peer is not None
    assert (peer.joined, peer.task) == (False, None)


def test_a_session_that_was_lost_begins_anew(world: World) -> None:
    world.joined(b"1", name="a")
    world.pass_s(9.0, lambda: None)
    world.members.lose_silent()
    world.members.hello(b"2", hello("a", provisioned=True))
    assert not world.server.messages[-2][1].resumed
    assert world.said_since(-2) == [m.Welcome, m.Provision]


def test_a_welcomed_connection_is_made_known_and_a_refused_one_is_not(world: World) -> None:
    world.members.hello(b"1", hello("a"))
    world.members.hello(b"2", hello("b", protocol=m.PROTOCOL + 1))
    assert world.server.welcomed == [b"1"]


@pytest.mark.parametrize(
    ("user", "words"), [("key-b", "came with the key of b; start it with --name b"), ("key-c", "is not allowed here")]
)
def test_a_name_belongs_to_a_key(world: World, user: str, words: str) -> None:
    world.server.names = {"key-a": "a", "key-b": "b"}
    peer = world.joined(b"1", "key-a", name="a")
    assert world.members.hello(b"2", hello("a"), user) == []
    id, refused = world.server.messages[-1]
    assert id == b"2"
    assert words in refused.reason
    said = len(world.server.messages)
    beat = m.Beat(agent="a", session=SESSION, number=1, doing="idle")
    world.pass_s(8.5, lambda: world.members.beat(b"beat", beat, user))
    assert world.server.messages[said:] == []
    assert world.peers.get(b"1") is peer
    assert world.refusals.counts["name"] == 2
    assert [event.agent for event in world.members.lose_silent()] == ["a"]


def test_a_revoked_key_loses_its_agent_at_once(world: World) -> None:
    world.server.names = {"key-a": "a", "key-b": "b"}
    world.joined(b"1", "key-a", name="a")
    world.joined(b"2", "key-b", name="b")
    world.server.revoked = {"key-a"}
    assert world.members.lose_revoked() == [AgentLost(at_s=100.0, agent="a", reason="its key was revoked")]
    assert world.members.lose_revoked() == []
    assert [peer.name for peer in world.peers] == ["b"]


def test_an_agent_whose_link_cannot_be_kept_is_refused_and_told_why(world: World) -> None:
    world.joined(b"1", name="a", address="10.0.0.2")
    assert world.members.hello(b"2", hello("b", session=OTHER_SESSION), "", "10.0.0.2") == []
    assert world.server.messages[-1] == (b"2", m.Refused(reason="b is where {'a': '10.0.0.2'} are"))
    assert [peer.name for peer in world.peers] == ["a"]


def test_the_link_of_an_agent_that_is_lost_is_let_go_and_that_of_one_that_only_reconnects_is_not(world: World) -> None:
    world.joined(b"1", name="a", address="10.0.0.2")
    world.members.hello(b"2", hello("a", provisioned=True, connection=2), "", "10.0.0.2")
    assert (world.links.released, world.beside.came) == ([], ["a"])
    world.joined(b"3", name="a", session=OTHER_SESSION, address="10.0.0.2")
    assert (world.links.released, world.beside.came) == (["a"], ["a", "a"])


def test_an_agent_that_is_elsewhere_by_now_must_be_one_whose_link_can_be_kept(world: World) -> None:
    peer = world.joined(b"1", name="a", address="10.0.0.2")
    world.joined(b"2", name="b", session=OTHER_SESSION, address="10.0.0.3")
    world.members.hello(b"3", hello("a", provisioned=True, connection=2), "", "10.0.0.3")
    assert isinstance(world.server.messages[-1][1], m.Refused)
    world.members.hello(b"4", hello("a", provisioned=True, connection=2), "", "10.0.0.4")
    assert (peer.id, peer.address) == (b"4", "10.0.0.4")


def test_nobody_takes_part_under_the_name_of_this_end(world: World) -> None:
    assert world.members.hello(b"1", hello("controller")) == []
    assert "cannot be named controller" in world.server.messages[-1][1].reason
