"""What agents may say, and what comes of it, on sockets of the test's own: they prove whose key a message came with."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fleet_stage import SESSION, STATE, hello, record, update_of
from small_tensors import outgoing, tensor_file
from stub_controller import FREE, PREPARE, blob

from harness.blobs import partial_of
from harness.errors import ShapingError
from harness.fleets.beside import Beside
from harness.fleets.downlinks import Downlinks
from harness.fleets.provision import Provisioning
from harness.fleets.shelf import Shelf
from harness.fleets.uploads import SLICE_BYTES
from harness.fleets.zeromq import ZeromqFleet
from harness.profiles import AgentsProfile
from harness.protocol import messages as m
from harness.protocol.codec import encode
from harness.protocol.transfer import WINDOW_BYTES
from harness.rounds.commands import AssignTask
from harness.rounds.events import (
    AgentJoined,
    AgentLost,
    AnyEvent,
    MessagesRefused,
    TaskFailed,
    UpdateLate,
    UpdateReceived,
)
from harness.transport import Arrival

REF = m.TaskRef(round=1, client=3, attempt=1)
UPDATE = update_of(b"an update")
OFFER = m.Offer(ref=REF, blob=blob("update", UPDATE))
KEYS = {"key-a": "a", "key-b": "b"}


class Sockets:
    """A server that a test fills by hand; ``most`` messages are sent to a peer before its queue is full."""

    endpoint, beat_port, closed = "tcp://nowhere:1", 2, False

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.sent: list[m.Message] = []
        self.most = 10_000
        self.revoked: set[str] = set()
        self.refused: Counter[str] = Counter()

    def poll(self, timeout_s: float, fds: Sequence[int] = ()) -> tuple[list[Arrival], set[int]]:
        arrivals, self.arrivals = self.arrivals, []
        return arrivals, set()

    def send(self, peer: bytes, message: m.Message, payload: bytes | None = None, *, beat: bool = False) -> bool:
        if len(self.sent) >= self.most:
            return False
        self.sent.append(message)
        return True

    def name_of(self, user: str) -> str | None:
        return KEYS.get(user)

    def newly_revoked(self) -> set[str]:
        revoked, self.revoked = self.revoked, set()
        return revoked

    def known(self, peer: bytes) -> None:
        """Nothing is limited here."""

    def close(self) -> None:
        self.closed = True


class Links(Downlinks):
    """Links that the kernel keeps; ``broken``: it can not."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []
        self.broken = False

    def keep(self, agent: str, address: str) -> None:
        if self.broken:
            raise ShapingError("the kernel cannot")
        self.kept.append((agent, address))


class Heard(Beside):
    """Takes all that is said beside the rounds, but for what is of "nowhere"."""

    def __init__(self) -> None:
        self.kept: list[object] = []

    def sampled(self, agent: str, message: m.Telemetry) -> str | None:
        self.kept.append((agent, message))
        return "it is of nowhere" if message.source == "nowhere" else None

    def reported(self, agent: str, report: dict[str, Any]) -> str | None:
        self.kept.append((agent, report))
        return None


class Talk:
    """A fleet, and what is said to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.server = folder, Sockets()
        (folder / "state").write_bytes(STATE)
        message = m.Provision(
            base=(), shards=(blob("3", b"shard"),), init=None, prepare=PREPARE, link=FREE, link_seed=1
        )
        server: Any = self.server
        provisioning = Provisioning(message, Shelf())
        self.links, self.beside = Links(), Heard()
        now, around = (lambda: 1.0), (self.links, self.beside)
        self.fleet = ZeromqFleet("r", server, provisioning, AgentsProfile(), None, now, *around)

    def hear(
        self,
        message: m.Message | bytes,
        payload: bytes | None = None,
        *,
        id: bytes = b"1",
        user: str = "key-a",
        at_s: float | None = None,
    ) -> list[AnyEvent]:
        """What comes of a message that was taken from its socket at ``at_s`` of the monotonic clock."""
        head = message if isinstance(message, bytes) else encode(message)
        data = None if payload is None else memoryview(payload)
        self.server.arrivals.append(
            Arrival(id, isinstance(message, m.Beat), memoryview(head), data, len(head), user, "10.0.0.2", at_s)
        )
        return self.fleet.wait(0.0)

    def join(self, name: str = "a", id: bytes = b"1", user: str = "key-a") -> None:
        self.hear(hello(name), id=id, user=user)
        (joined,) = self.hear(m.Ready(provision_s=0.0, ship_s=0.0), id=id, user=user)
        assert isinstance(joined, AgentJoined)

    def assign(self, agent: str = "a", ref: m.TaskRef = REF) -> None:
        sha256 = blob("state", STATE).sha256
        task = AssignTask(agent=agent, round=ref.round, client=ref.client, attempt=ref.attempt, state_sha256=sha256)
        self.fleet.assign(task, outgoing(self.folder / "state"), seed=1, update=self.folder / "update")

    def upload(self, update: bytes = UPDATE) -> list[AnyEvent]:
        offered = blob("update", update)
        events = self.hear(m.Offer(ref=REF, blob=offered))
        for offset in range(0, len(update), m.MAX_CHUNK_BYTES):
            part = update[offset : offset + m.MAX_CHUNK_BYTES]
            events += self.hear(m.Chunk(sha256=offered.sha256, offset=offset), part)
        return events


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    talk = Talk(tmp_path)
    talk.join()
    talk.assign()
    yield talk
    talk.fleet.close("the test is over")


def test_an_update_counts_once_and_is_known_as_counted_when_it_is_said_again(talk: Talk) -> None:
    assert talk.upload() == []
    (received,) = talk.hear(m.Done(ref=REF, record=record()))
    assert isinstance(received, UpdateReceived)
    assert (received.record.agent, received.record.update_sha256) == ("a", OFFER.blob.sha256)
    assert talk.hear(m.Done(ref=REF, record=record())) == []
    assert talk.hear(OFFER) == []
    assert talk.server.sent[-1] == m.Cancel(ref=REF), "an agent that holds on to it may let go"


@pytest.mark.parametrize("word", [OFFER, m.Done(ref=REF, record=record())])
def test_word_of_a_task_nobody_waits_for_is_told_of_once(talk: Talk, word: m.Message) -> None:
    talk.assign(ref=m.TaskRef(round=2, client=3, attempt=1))
    late = UpdateLate(at_s=1.0, round=1, client=3, agent="a", attempt=1)
    assert talk.hear(word) == [late]
    assert talk.server.sent[-1] == m.Cancel(ref=REF)
    assert talk.hear(word) == []
    assert talk.server.sent[-2:] == [m.Cancel(ref=REF)] * 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"train_s": float("nan")}, "train_s is nan"), ({"samples": 0}, "no samples"), ({"upload_bytes": 1}, "are known")],
)
def test_a_record_that_cannot_be_true_fails_the_task(talk: Talk, changes: dict[str, Any], words: str) -> None:
    talk.upload()
    (failed,) = talk.hear(m.Done(ref=REF, record=record(**changes)))
    assert isinstance(failed, TaskFailed)
    assert failed.reason.startswith("what its agent says of it cannot be true: its ")
    assert words in failed.reason


def test_who_says_it_is_done_and_has_sent_nothing_has_failed(talk: Talk) -> None:
    (failed,) = talk.hear(m.Done(ref=REF, record=record()))
    assert isinstance(failed, TaskFailed)
    assert "no update of it has landed" in failed.reason


def test_nobody_speaks_over_the_connection_of_another(talk: Talk) -> None:
    for word in (m.Goodbye(agent="a", reason="so there"), m.Failed(ref=REF, reason="so there"), b"garbage"):
        assert not [event for event in talk.hear(word, user="key-b") if not isinstance(event, MessagesRefused)]
        refused = talk.server.sent[-1]
        assert isinstance(refused, m.Refused)
        assert "another key" in refused.reason
    assert talk.fleet.refused == {"key": 3}
    assert talk.upload() == []
    assert [type(event) for event in talk.hear(m.Done(ref=REF, record=record()))] == [UpdateReceived]


def test_nobody_comes_or_beats_under_the_name_of_another(talk: Talk) -> None:
    (told,) = talk.hear(hello("a", session="f" * 16), id=b"2", user="key-b")
    assert isinstance(told, MessagesRefused)
    beat = m.Beat(agent="a", session=SESSION, number=1, doing="idle")
    assert talk.hear(beat, id=b"2", user="key-b") == []
    assert talk.fleet.refused == {"name": 2}
    assert talk.upload() == []


def test_an_agent_whose_key_is_revoked_is_lost_before_anything_it_says_counts(talk: Talk) -> None:
    talk.upload()
    talk.server.revoked = {"key-a"}
    assert talk.hear(m.Done(ref=REF, record=record())) == [AgentLost(at_s=1.0, agent="a", reason="its key was revoked")]


def test_reasons_reach_events_as_one_printable_line(talk: Talk) -> None:
    (failed,) = talk.hear(m.Failed(ref=REF, reason="no\n\x1b[31mmemory"))
    assert failed.reason == "no [31mmemory"  # type: ignore[union-attr]


def test_a_request_of_an_older_task_that_comes_late_leaves_the_present_one_alone(talk: Talk) -> None:
    old = m.Fetch(sha256="0" * 64, offset=0, credit_bytes=1, chunk_bytes=1)
    assert talk.hear(old) == []
    assert talk.upload() == []


def test_the_state_of_a_task_that_cannot_be_read_fails_it(talk: Talk) -> None:
    (talk.folder / "state").unlink()
    fetch = m.Fetch(sha256=blob("state", STATE).sha256, offset=0, credit_bytes=100, chunk_bytes=100)
    (failed,) = talk.hear(fetch)
    assert "cannot be read" in failed.reason  # type: ignore[union-attr]
    assert talk.server.sent[-1] == m.Cancel(ref=REF)


def test_nothing_is_read_for_a_peer_that_takes_no_more(talk: Talk) -> None:
    talk.server.most = len(talk.server.sent) + 3
    fetch = m.Fetch(sha256=blob("state", STATE).sha256, offset=0, credit_bytes=WINDOW_BYTES, chunk_bytes=8192)
    assert talk.hear(fetch) == []
    assert [message.offset for message in talk.server.sent[-3:] if isinstance(message, m.Chunk)] == [0, 8192, 16384]


def test_heartbeats_are_answered_while_a_large_partial_file_is_read(talk: Talk) -> None:
    whole, here = tensor_file(bytes(3 * SLICE_BYTES)), 2 * SLICE_BYTES + 1000
    (talk.folder / "state").write_bytes(whole)
    talk.assign(ref=REF)
    offered = blob("update", whole)
    partial_of(offered, talk.folder / "update").write_bytes(whole[:here])
    before = len(talk.server.sent)
    for word in (m.Offer(ref=REF, blob=offered), m.Beat(agent="a", session=SESSION, number=1, doing="sending")):
        assert talk.hear(word) == []
    assert talk.fleet.wait(0.0) == []
    echo, accept = talk.server.sent[before:]
    assert echo == m.BeatEcho(number=1, received_s=1.0, sent_s=1.0)
    assert isinstance(accept, m.Accept)
    assert accept.offset == here


def test_a_heartbeat_is_echoed_with_the_moment_it_was_taken_from_its_socket(talk: Talk) -> None:
    beat = m.Beat(agent="a", session=SESSION, number=1, doing="idle", sent_s=77.5)
    talk.hear(beat, at_s=time.monotonic() - 0.5)
    echo = talk.server.sent[-1]
    assert isinstance(echo, m.BeatEcho)
    assert (echo.beat_sent_s, echo.sent_s) == (77.5, 1.0)
    assert echo.received_s <= 0.5, "half a second before the run's clock showed 1"


def test_what_is_said_beside_the_rounds_is_handed_on_with_the_agents_name(talk: Talk) -> None:
    samples = m.Telemetry(source="ina3221", fields=("at_s", "total_w"), rows=((1.0, 5.0),))
    assert talk.hear(samples) == talk.hear(m.DeviceReport(report={"device": 1})) == []
    assert talk.beside.kept == [("a", samples), ("a", {"device": 1})]
    talk.hear(samples, id=b"unknown")
    assert len(talk.beside.kept) == 2
    assert talk.fleet.refused == {}


def test_what_cannot_be_kept_is_counted_and_the_agent_stays(talk: Talk) -> None:
    (told,) = talk.hear(m.Telemetry(source="nowhere", fields=("at_s",), rows=()))
    assert isinstance(told, MessagesRefused)
    assert told.counts == {"telemetry": 1}
    assert talk.upload() == []


def test_energy_that_cannot_be_true_does_not_cost_the_update(talk: Talk) -> None:
    talk.upload()
    received, told = talk.hear(m.Done(ref=REF, record=record(energy_j=-5.0)))
    assert isinstance(received, UpdateReceived)
    assert received.record.energy_j is None
    assert isinstance(told, MessagesRefused)
    assert told.counts == {"claim": 1}


def test_a_link_is_kept_before_anything_timed_travels_and_not_for_what_is_not(talk: Talk) -> None:
    talk.hear(hello("b", session="f" * 16), id=b"2", user="key-b")
    before = list(talk.links.kept)
    shard = m.Fetch(sha256=blob("3", b"shard").sha256, offset=0, credit_bytes=10, chunk_bytes=10)
    state = m.Fetch(sha256=blob("state", STATE).sha256, offset=0, credit_bytes=10, chunk_bytes=10)
    talk.hear(shard, id=b"2", user="key-b")
    assert talk.links.kept == before
    talk.hear(state, id=b"2", user="key-b")
    assert talk.links.kept == [*before, ("b", "10.0.0.2")]


def test_an_agent_whose_link_cannot_be_kept_takes_no_part(talk: Talk) -> None:
    talk.hear(hello("b", session="f" * 16), id=b"2", user="key-b")
    talk.links.broken = True
    (lost,) = talk.hear(m.Ready(provision_s=0.0, ship_s=0.0), id=b"2", user="key-b")
    assert lost == AgentLost(at_s=1.0, agent="b", reason="its link cannot be kept: the kernel cannot")
    assert talk.server.sent[-1] == m.Refused(reason="the kernel cannot")
