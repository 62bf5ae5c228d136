"""Whatever agents say to the controller, in whatever order: it keeps its books, and no word of theirs ends it."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from stub_controller import FREE, PREPARE, blob
from wire_words import OF_AGENTS, OF_BEATS, messages, values_of

from harness.fleets.provision import Provisioning
from harness.fleets.shelf import Shelf
from harness.fleets.zeromq import ZeromqFleet
from harness.profiles import AgentsProfile
from harness.protocol import messages as m
from harness.protocol.codec import encode
from harness.records import ClientRecord
from harness.rounds.commands import AssignTask, CancelTask
from harness.rounds.events import AgentJoined, AgentLost, AnyEvent, TaskFailed, UpdateLate, UpdateReceived
from harness.transport import Arrival, Server

STATE, SHARD = b"a state" * 100, b"a shard"
UPDATES = [b"an update" * 50, b"another one" * 3, b""]
NAMES = ["a", "b", "c"]
KEYS = {"key-a": "a", "key-b": "b", "key-c": "c"}
SESSIONS = ["0" * 16, "1" * 16]

USERS = st.sampled_from(sorted(KEYS))
PEERS = st.sampled_from([b"1", b"2", b"3", b"4"])
NAME = st.sampled_from(NAMES)
SESSION = st.sampled_from(SESSIONS)
NUMBERS = st.integers(1, 3)
REFS = st.builds(m.TaskRef, round=NUMBERS, client=NUMBERS, attempt=NUMBERS)
UPDATE = st.sampled_from(UPDATES)


class QuietServer:
    """Sockets that a test fills; what is sent is kept, and does not arrive at ``gone`` peers."""

    endpoint, beat_port, closed = "tcp://nowhere:1", 2, False

    def __init__(self, names: dict[str, str] | None) -> None:
        self.names = names
        self.arrivals: list[Arrival] = []
        self.sent: list[tuple[bytes, m.Message]] = []
        self.gone: set[bytes] = set()
        self.revoked: set[str] = set()
        self.refused: Counter[str] = Counter()

    def poll(self, timeout_s: float | None, fds: Sequence[int] = ()) -> tuple[list[Arrival], set[int]]:
        arrivals, self.arrivals = self.arrivals, []
        return arrivals, set()

    def send(self, peer: bytes, message: m.Message, payload: bytes | None = None, *, beat: bool = False) -> bool:
        encode(message)
        self.sent.append((peer, message))
        return peer not in self.gone

    def name_of(self, user: str) -> str | None:
        return self.names[user] if self.names else None

    def newly_revoked(self) -> set[str]:
        revoked, self.revoked = self.revoked, set()
        return revoked

    def known(self, peer: bytes) -> None:
        """Nothing is limited here."""

    def close(self, linger_s: float = 1.0) -> None:
        self.closed = True


class Crowd(RuleBasedStateMachine):
    """Four connections, three names, two sessions: what they may say, at any time."""

    names: dict[str, str] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="crowd-"))
        self.now_s = 0.0
        self.server = QuietServer(self.names)
        self.shelf = Shelf()
        message = m.Provision(
            base=(), shards=(self._offered("3", SHARD),), init=None, prepare=PREPARE, link=FREE, link_seed=1
        )
        self.state = self._offered("state", STATE)
        agents = AgentsProfile(heartbeat_s=1.0, lost_after_s=10.0)
        server: Server = self.server  # type: ignore[assignment]
        self.fleet = ZeromqFleet("r", server, Provisioning(message, self.shelf), agents, None, lambda: self.now_s)
        self.here: set[str] = set()
        self.given: dict[str, m.TaskRef] = {}
        self.speaker: str | None = None

    def _offered(self, name: str, data: bytes) -> m.BlobRef:
        (self.folder / name).write_bytes(data)
        self.shelf.put(blob(name, data), self.folder / name)
        return blob(name, data)

    def hears(self, peer: bytes, message: m.Message | bytes, payload: bytes | None = None, user: str = "key-a") -> None:
        user = user if self.names else ""
        self.speaker = None if self.names is None else self.names[user]
        head = message if isinstance(message, bytes) else encode(message)
        beat = isinstance(message, (m.Beat, m.BeatEcho))
        data = None if payload is None else memoryview(payload)
        self.server.arrivals.append(Arrival(peer, beat, memoryview(head), data, len(head), user))
        self.goes_on()
        self.speaker = None

    def goes_on(self) -> None:
        for event in self.fleet.wait(0.0):
            self._book(event)

    def _book(self, event: AnyEvent) -> None:
        if self.speaker is not None and not isinstance(event, UpdateReceived):
            assert event.agent == self.speaker, f"{self.speaker} spoke for {event.agent}"  # type: ignore[union-attr]
        match event:
            case AgentJoined():
                assert event.agent not in self.here, "it joined twice"
                self.here.add(event.agent)
            case AgentLost():
                self.here.discard(event.agent)
                self.given.pop(event.agent, None)
            case UpdateReceived():
                record = event.record
                assert self.speaker in (None, record.agent), f"{self.speaker} spoke for {record.agent}"
                ref = m.TaskRef(round=record.round, client=record.client, attempt=record.attempt)
                assert self.given.pop(record.agent, None) == ref, "an update of a task that was not given"
                data = (self.folder / f"update-{ref.round}-{ref.client}").read_bytes()
                assert hashlib.sha256(data).hexdigest() == record.update_sha256, "the update is not what it says"
            case TaskFailed():
                ref = m.TaskRef(round=event.round, client=event.client, attempt=event.attempt)
                assert self.given.pop(event.agent, None) == ref, "a failure of a task that was not given"
            case UpdateLate():
                ref = m.TaskRef(round=event.round, client=event.client, attempt=event.attempt)
                assert self.given.get(event.agent) != ref, "late, although it is awaited"
            case _:
                raise AssertionError(f"agents cannot bring about {event}")

    # What the controller does

    @rule(agent=NAME, ref=REFS)
    def a_task_is_given(self, agent: str, ref: m.TaskRef) -> None:
        if agent not in self.here or agent in self.given or ref in self.given.values():
            return
        order = AssignTask(
            agent=agent, round=ref.round, client=ref.client, attempt=ref.attempt, state_sha256=self.state.sha256
        )
        update = self.folder / f"update-{ref.round}-{ref.client}"
        self.fleet.assign(order, self.folder / "state", seed=1, update=update)
        self.given[agent] = ref

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

    # What agents say, in good order and in none

    @rule(peer=PEERS, name=NAME, user=USERS, session=SESSION, more=values_of(m.Hello))
    def says_hello(self, peer: bytes, name: str, user: str, session: str, more: m.Hello) -> None:
        hello = m.Hello(
            protocol=m.PROTOCOL,
            version="1",
            agent=name,
            host="here",
            cores=1,
            memory_bytes=1,
            session=session,
            provisioned=more.provisioned,
            holds=self.given.get(name, more.holds),
            ended=more.ended,
        )
        self.hears(peer, hello, user=user)

    @rule(peer=PEERS, user=USERS)
    def is_ready(self, peer: bytes, user: str) -> None:
        self.hears(peer, m.Ready(provision_s=0.0, ship_s=0.0), user=user)

    @rule(peer=PEERS, user=USERS, name=NAME, session=SESSION)
    def beats(self, peer: bytes, user: str, name: str, session: str) -> None:
        self.hears(peer, m.Beat(agent=name, session=session, number=1, doing="idle"), user=user)

    @rule(peer=PEERS, user=USERS, update=UPDATE, agent=NAME, any_ref=REFS)
    def offers(self, peer: bytes, user: str, update: bytes, agent: str, any_ref: m.TaskRef) -> None:
        self.hears(peer, m.Offer(ref=self.given.get(agent, any_ref), blob=blob("update", update)), user=user)

    @rule(peer=PEERS, user=USERS, update=UPDATE, start=st.integers(0, 500), size=st.integers())
    def sends_bytes(self, peer: bytes, user: str, update: bytes, start: int, size: int) -> None:
        chunk = m.Chunk(sha256=blob("update", update).sha256, offset=start)
        self.hears(peer, chunk, update[start:] if size >= 0 else b"x" * min(-size, 600), user=user)

    @rule(peer=PEERS, user=USERS, agent=NAME, update=UPDATE, more=values_of(ClientRecord))
    def sends_all_that_is_awaited(self, peer: bytes, user: str, agent: str, update: bytes, more: ClientRecord) -> None:
        if ref := self.given.get(agent):
            offered = blob("update", update)
            self.hears(peer, m.Offer(ref=ref, blob=offered), user=user)
            self.hears(peer, m.Chunk(sha256=offered.sha256, offset=0), update, user=user)
            self.hears(peer, m.Done(ref=ref, record=more), user=user)
            self.hears(peer, m.Done(ref=ref, record=more), user=user)

    @rule(peer=PEERS, user=USERS, agent=NAME, any_ref=REFS)
    def fails(self, peer: bytes, user: str, agent: str, any_ref: m.TaskRef) -> None:
        self.hears(peer, m.Failed(ref=self.given.get(agent, any_ref), reason="so it goes"), user=user)

    @rule(
        peer=PEERS,
        user=USERS,
        wanted=st.sampled_from([STATE, SHARD, b"unknown"]),
        offset=st.integers(0, 1000),
        credit=st.integers(1, 2**62),
    )
    def fetches(self, peer: bytes, user: str, wanted: bytes, offset: int, credit: int) -> None:
        sha256 = blob("x", wanted).sha256
        self.hears(peer, m.Fetch(sha256=sha256, offset=offset, credit_bytes=credit, chunk_bytes=100), user=user)

    @rule(peer=PEERS, user=USERS, message=messages(OF_AGENTS), payload=st.none() | st.binary())
    def says_anything_valid(self, peer: bytes, user: str, message: m.Message, payload: bytes | None) -> None:
        self.hears(peer, message, payload, user)

    @rule(peer=PEERS, message=messages(OF_BEATS))
    def says_any_beat(self, peer: bytes, message: m.Message) -> None:
        self.hears(peer, message)

    @rule(peer=PEERS, head=st.binary(max_size=50), payload=st.none() | st.binary())
    def says_garbage(self, peer: bytes, head: bytes, payload: bytes | None) -> None:
        self.hears(peer, head, payload)

    def teardown(self) -> None:
        self.fleet.close("the test is over")
        assert self.server.closed
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()


class NamedCrowd(Crowd):
    """The same with keys: what a key is not allowed to say has no effect."""

    names = KEYS


FATES = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_the_fleet_keeps_its_books_whatever_is_said_on_plain_sockets() -> None:
    run_state_machine_as_test(Crowd, settings=FATES)


def test_the_fleet_keeps_its_books_whatever_is_said_by_whatever_key() -> None:
    run_state_machine_as_test(NamedCrowd, settings=FATES)
