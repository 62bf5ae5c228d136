"""Whatever agents say to the controller, in whatever order: it keeps its books, and no word of theirs ends it."""

from __future__ import annotations

from typing import ClassVar

import pytest
from crowd import KEYS, LEAN, SHARD, STATE, Crowd
from fleet_stage import hello
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from run_folders import client_record
from small_tensors import tensor_file
from stub_controller import blob
from wire_words import OF_AGENTS, OF_BEATS, messages, values_of

from harness.protocol import messages as m
from harness.records import ClientRecord
from harness.rounds.commands import CancelTask
from harness.rounds.events import AgentJoined, AgentLost, AnyEvent, TaskFailed, UpdateReceived

UPDATES = [
    tensor_file(b"other" * 100),
    tensor_file(b"third" * 100),
    tensor_file(b"of another shape"),
    b"no tensors",
    b"",
]
NAMES = ["a", "b", "c"]
SESSIONS = ["0" * 16, "1" * 16]

USERS = st.sampled_from(sorted(KEYS))
PEERS = st.sampled_from([b"1", b"2", b"3", b"4"])
NAME = st.sampled_from(NAMES)
SESSION = st.sampled_from(SESSIONS)
NUMBERS = st.integers(1, 3)
REFS = st.builds(m.TaskRef, round=NUMBERS, client=NUMBERS, attempt=NUMBERS)
UPDATE = st.sampled_from(UPDATES)
WANTED = st.sampled_from([STATE, LEAN, SHARD, b"unknown"])
Who = tuple[str, bool, bytes, str]
WHO = st.tuples(NAME, st.sampled_from([True, True, True, False]), PEERS, USERS)


class Talk(Crowd, RuleBasedStateMachine):
    """Four connections, three names, two sessions: what they may say, at any time."""

    # What the controller does

    @precondition(lambda self: self.here - set(self.given))
    @rule(data=st.data(), ref=REFS)
    def a_task_is_given(self, data: st.DataObject, ref: m.TaskRef) -> None:
        agent = data.draw(st.sampled_from(sorted(self.here - set(self.given))))
        if ref in self.given.values():
            return
        self.give(agent, ref)

    @rule(agent=NAME)
    def its_task_is_cancelled(self, agent: str) -> None:
        if ref := self.given.pop(agent, None):
            self.fleet.cancel(CancelTask(agent=agent, round=ref.round, client=ref.client, attempt=ref.attempt))

    @rule(seconds=st.sampled_from([0.5, 2.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds
        self.goes_on()

    @rule(peers=st.sets(PEERS))
    def connections_break(self, peers: set[bytes]) -> None:
        self.server.gone = peers

    @rule(user=USERS)
    def a_key_is_revoked(self, user: str) -> None:
        if self.names is not None:
            self.server.revoked.add(user)
            self.goes_on()

    # What agents say: mostly over their own line, sometimes over that of another, or with another's key

    def whose(self, who: Who) -> tuple[bytes, str]:
        """The connection and the key behind a word: those of the agent that is named, unless it is a lie."""
        name, honest, peer, user = who
        return (self.lines.get(name, peer), f"key-{name}") if honest else (peer, user)

    @rule(who=WHO, name=NAME, session=SESSION, more=values_of(m.Hello))
    def says_hello(self, who: Who, name: str, session: str, more: m.Hello) -> None:
        peer, user = whose = who[2:] if not who[1] else (who[2], f"key-{who[0]}")
        name = who[0] if who[1] else name
        told = {"provisioned": more.provisioned, "holds": self.given.get(name, more.holds), "ended": more.ended}
        self.hears(peer, hello(name, session=session, **told), user=user)
        if whose == (who[2], f"key-{name}"):
            self.lines[name] = peer

    @rule(peer=PEERS, name=NAME, session=SESSION)
    def joins(self, peer: bytes, name: str, session: str) -> None:
        self.hears(peer, hello(name, session=session), user=f"key-{name}")
        self.lines[name] = peer
        self.hears(peer, m.Ready(provision_s=0.0, ship_s=0.0), user=f"key-{name}")

    @rule(peer=PEERS, name=NAME, session=SESSION, data=st.data(), update=UPDATE)
    def comes_and_works(self, peer: bytes, name: str, session: str, data: st.DataObject, update: bytes) -> None:
        self.joins(peer, name, session)
        if self.here - set(self.given):
            self.a_task_is_given(data, data.draw(REFS))
        if self.given:
            self.sends_all_that_is_awaited(data, (name, True, peer, ""), update, None)

    @rule(who=WHO)
    def is_ready(self, who: Who) -> None:
        peer, user = self.whose(who)
        self.hears(peer, m.Ready(provision_s=0.0, ship_s=0.0), user=user)

    @rule(who=WHO, session=SESSION)
    def beats(self, who: Who, session: str) -> None:
        peer, user = self.whose(who)
        self.hears(peer, m.Beat(agent=who[0], session=session, number=1, doing="idle"), user=user)

    @rule(who=WHO, update=UPDATE, any_ref=REFS)
    def offers(self, who: Who, update: bytes, any_ref: m.TaskRef) -> None:
        peer, user = self.whose(who)
        self.hears(peer, m.Offer(ref=self.given.get(who[0], any_ref), blob=blob("update", update)), user=user)

    @rule(who=WHO, update=UPDATE, start=st.integers(0, 500), noise=st.none() | st.binary(max_size=600))
    def sends_bytes(self, who: Who, update: bytes, start: int, noise: bytes | None) -> None:
        peer, user = self.whose(who)
        chunk = m.Chunk(sha256=blob("update", update).sha256, offset=start)
        self.hears(peer, chunk, update[start:] if noise is None else noise, user=user)

    @precondition(lambda self: self.given)
    @rule(data=st.data(), who=WHO, update=UPDATE, lie=st.none() | values_of(ClientRecord))
    def sends_all_that_is_awaited(self, data: st.DataObject, who: Who, update: bytes, lie: ClientRecord | None) -> None:
        given = data.draw(st.sampled_from([STATE, LEAN]))
        name = data.draw(st.sampled_from(sorted(self.given)))
        ref, (peer, user) = self.given[name], self.whose((name, *who[1:]))
        offered, sizes = blob("update", update), {"download_bytes": len(given), "upload_bytes": len(update)}
        record = lie or client_record(ref.round, ref.client, agent=name, **sizes)
        self.hears(peer, m.Offer(ref=ref, blob=offered), user=user)
        self.hears(peer, m.Chunk(sha256=offered.sha256, offset=0), update, user=user)
        for _ in range(2):
            self.hears(peer, m.Done(ref=ref, record=record), user=user)

    @rule(who=WHO, any_ref=REFS)
    def fails(self, who: Who, any_ref: m.TaskRef) -> None:
        peer, user = self.whose(who)
        self.hears(peer, m.Failed(ref=self.given.get(who[0], any_ref), reason="so it goes"), user=user)

    @rule(who=WHO, wanted=WANTED, offset=st.integers(0, 1000), credit=st.integers(1, 2**62))
    def fetches(self, who: Who, wanted: bytes, offset: int, credit: int) -> None:
        peer, user = self.whose(who)
        sha256 = blob("x", wanted).sha256
        self.hears(peer, m.Fetch(sha256=sha256, offset=offset, credit_bytes=credit, chunk_bytes=100), user=user)

    @rule(who=WHO, message=messages(OF_AGENTS), payload=st.none() | st.binary())
    def says_anything_valid(self, who: Who, message: m.Message, payload: bytes | None) -> None:
        peer, user = self.whose(who)
        self.hears(peer, message, payload, user)

    @rule(peer=PEERS, message=messages(OF_BEATS))
    def says_any_beat(self, peer: bytes, message: m.Message) -> None:
        self.hears(peer, message)

    @rule(peer=PEERS, head=st.binary(max_size=50), payload=st.none() | st.binary())
    def says_garbage(self, peer: bytes, head: bytes, payload: bytes | None) -> None:
        self.hears(peer, head, payload)

    def teardown(self) -> None:
        self.close()


class KeyedTalk(Talk):
    """The same with keys: what a key is not allowed to say has no effect."""

    names = KEYS
    seen: ClassVar[set[type[AnyEvent]]] = set()


FATES = settings(max_examples=80, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("talk", [Talk, KeyedTalk], ids=["on plain sockets", "by whatever key"])
def test_the_fleet_keeps_its_books_whatever_is_said(talk: type[Talk]) -> None:
    run_state_machine_as_test(talk, settings=FATES)
    assert {AgentJoined, AgentLost, UpdateReceived, TaskFailed} <= talk.seen, "it never came to much"
