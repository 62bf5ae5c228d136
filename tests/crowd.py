"""A fleet whose sockets a test fills, and its books: what it told of agents has to follow from what they said."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from small_tensors import outgoing, tensor_file
from stub_controller import FREE, PREPARE, blob

from harness.fleets.provision import Provisioning
from harness.fleets.shelf import Shelf
from harness.fleets.zeromq import ZeromqFleet
from harness.profiles import AgentsProfile
from harness.protocol import messages as m
from harness.protocol.codec import encode
from harness.rounds.commands import AssignTask
from harness.rounds.events import (
    AgentJoined,
    AgentLost,
    AgentReconnected,
    AnyEvent,
    MessagesRefused,
    TaskFailed,
    UpdateLate,
    UpdateReceived,
)
from harness.transport import Arrival, Server

STATE, LEAN, SHARD = tensor_file(b"state" * 100), tensor_file(b"tip"), b"a shard"
KEYS = {"key-a": "a", "key-b": "b", "key-c": "c"}


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


class Crowd:
    """What agents say to a fleet, and what was given to them. ``names``: those of keys, where there are keys."""

    names: dict[str, str] | None = None
    seen: ClassVar[set[type[AnyEvent]]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="crowd-"))
        self.now_s = 0.0
        self.server = QuietServer(self.names)
        self.shelf = Shelf()
        message = m.Provision(
            base=(), shards=(self._offered("3", SHARD),), init=None, prepare=PREPARE, link=FREE, link_seed=1
        )
        (self.folder / "lean").write_bytes(LEAN)
        self.state = self._offered("state", STATE)
        agents = AgentsProfile(heartbeat_s=1.0, lost_after_s=10.0)
        server: Server = self.server  # type: ignore[assignment]
        self.fleet = ZeromqFleet("r", server, Provisioning(message, self.shelf), agents, None, lambda: self.now_s)
        self.here: set[str] = set()
        self.given: dict[str, m.TaskRef] = {}
        self.lines: dict[str, bytes] = {}
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
        self.server.gone = set()

    def _book(self, event: AnyEvent) -> None:
        self.seen.add(type(event))
        if isinstance(event, MessagesRefused):
            return
        if self.speaker is not None and not isinstance(event, UpdateReceived):
            assert event.agent == self.speaker, f"{self.speaker} spoke for {event.agent}"  # type: ignore[union-attr]
        match event:
            case AgentJoined():
                assert event.agent not in self.here, "it joined twice"
                self.here.add(event.agent)
            case AgentReconnected():
                assert self.fleet._peers.named(event.agent) is not None, "nobody of that name is here"
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

    def give(self, agent: str, ref: m.TaskRef) -> None:
        """Give an agent a task."""
        task = {"round": ref.round, "client": ref.client, "attempt": ref.attempt}
        order = AssignTask(agent=agent, state_sha256=self.state.sha256, **task)
        update = self.folder / f"update-{ref.round}-{ref.client}"
        given = outgoing(self.folder / "state", self.folder / "lean", since="0" * 64)
        self.fleet.assign(order, given, seed=1, update=update)
        self.given[agent] = ref

    def close(self) -> None:
        self.fleet.close("the test is over")
        assert self.server.closed
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
