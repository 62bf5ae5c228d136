"""A ZeroMQ fleet with something to provision, real agents as processes, and agents that a test plays by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from run_folders import client_record
from small_tensors import outgoing, tensor_file
from stub_controller import FREE, PREPARE, blob

from harness.fleets.provision import Provisioning
from harness.fleets.shelf import Shelf
from harness.fleets.zeromq import ZeromqFleet
from harness.profiles import AgentsProfile
from harness.protocol import codec
from harness.protocol import messages as m
from harness.records import ClientRecord
from harness.rounds.commands import AssignTask
from harness.rounds.events import AnyEvent
from harness.transport import Arrival, Channel, connect, listen

PATIENCE = 3000
"""Waits of 10 ms for a fact before a test gives up."""
SESSION = "0123456789abcdef"
STATE = tensor_file(b"global state" * 50_000)


def update_of(words: bytes) -> bytes:
    """An update that has the state's tensors."""
    return tensor_file((words * 600_000)[:600_000])


def hello(name: str = "by-hand", **changes: Any) -> m.Hello:
    told: dict[str, Any] = {"protocol": m.PROTOCOL, "version": "0", "host": "here", "cores": 1, "memory_bytes": 1}
    told["session"] = SESSION
    return m.Hello(agent=name, **(told | changes))


class FleetStage:
    """A fleet on loopback, its files below ``folder``, and all events so far."""

    def __init__(self, folder: Path, now: Callable[[], float], **settings: float) -> None:
        self.folder = folder
        (folder / "state").write_bytes(STATE)
        self.state = blob("state", STATE)
        self.shelf = Shelf()
        base, shard = self._offered("weights", b"w" * 1000), self._offered("3", b"fine")
        message = m.Provision(base=(base,), shards=(shard,), init=None, prepare=PREPARE, link=FREE, link_seed=1)
        self.server = listen()
        agents = AgentsProfile(**{"heartbeat_s": 0.1, "lost_after_s": 20.0, **settings})
        self.fleet = ZeromqFleet("r", self.server, Provisioning(message, self.shelf), agents, None, now)
        self.events: list[AnyEvent] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self.hands: list[Hand] = []

    def _offered(self, name: str, data: bytes) -> m.BlobRef:
        path = self.folder / f"{name}.blob"
        path.write_bytes(data)
        self.shelf.put(blob(name, data), path)
        return blob(name, data)

    def until(self, kind: type[AnyEvent], count: int = 1) -> Any:
        """Work until the fleet told ``kind`` for the ``count``-th time; returns that event."""
        self.work(lambda: len([event for event in self.events if isinstance(event, kind)]) >= count, kind.__name__)
        return [event for event in self.events if isinstance(event, kind)][count - 1]

    def work(self, fact: Callable[[], object], what: str) -> None:
        for _ in range(PATIENCE):
            if fact():
                return
            self.events += self.fleet.wait(0.01)
        raise AssertionError(f"waited in vain for {what}; so far {self.events}")

    def assign(self, agent: str, attempt: int = 1, lean: bytes | None = None) -> m.TaskRef:
        """Give a task; ``lean`` is enough for who holds a state of zeros."""
        order = AssignTask(agent=agent, round=1, client=3, attempt=attempt, state_sha256=self.state.sha256)
        given = outgoing(self.folder / "state")
        if lean is not None:
            (self.folder / "lean").write_bytes(lean)
            given = outgoing(self.folder / "state", self.folder / "lean", since="0" * 64)
        self.fleet.assign(order, given, seed=1, update=self.update)
        return m.TaskRef(round=1, client=3, attempt=attempt)

    @property
    def update(self) -> Path:
        """Where the update of the task lands."""
        return self.folder / "update"

    def start(self) -> subprocess.Popen[bytes]:
        """A real agent, named a1, whose trainer is the stub's."""
        command = [sys.executable, str(Path(__file__).with_name("stub_agent.py")), self.server.endpoint]
        with (self.folder / "agent.log").open("ab") as log:
            agent = subprocess.Popen([*command, str(self.folder / "cache"), "once"], stdin=subprocess.PIPE, stderr=log)
        self.processes.append(agent)
        return agent

    def hand(self) -> Hand:
        """A connection that the test speaks over."""
        self.hands.append(Hand(self))
        return self.hands[-1]

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdin.close()
        for hand in self.hands:
            hand.channel.close(0)
        self.fleet.close("the test is over")


class Hand:
    """An agent played by a test."""

    def __init__(self, stage: FleetStage) -> None:
        self._stage = stage
        self.channel: Channel = connect(stage.server.endpoint)
        self.say, self._heard = self.channel.send, list[Arrival]()

    def hear(self, kind: type[m.Message]) -> Any:
        """The next message of this kind; those before it are dropped."""
        found: list[m.Message] = []

        def heard() -> bool:
            self._heard += self.channel.receive()
            while self._heard and not found:
                message = codec.decode_to_agent(self._heard.pop(0).head)
                found.extend([message] if isinstance(message, kind) else [])
            return bool(found)

        self._stage.work(heard, kind.__name__)
        return found[0]

    def join(self, name: str = "by-hand", **told: Any) -> None:
        self.say(hello(name, **told))
        self.hear(m.Provision)
        self.say(m.Ready(provision_s=1.0, ship_s=0.5))

    def send(self, ref: m.TaskRef, update: bytes, *arriving: bytes) -> None:
        """Offer an update and send it: each time the controller asks, what is ``arriving`` next."""
        offered = blob("update", update)
        self.say(m.Offer(ref=ref, blob=offered))
        for data in arriving:
            accept = self.hear(m.Accept)
            self.chunks(offered.sha256, data, accept.offset)

    def chunks(self, sha256: str, data: bytes, start: int = 0) -> None:
        """Send bytes from an offset on to the end."""
        for offset in range(start, len(data), m.MAX_CHUNK_BYTES):
            self.say(m.Chunk(sha256=sha256, offset=offset), data[offset : offset + m.MAX_CHUNK_BYTES])


def record(**changes: Any) -> ClientRecord:
    """What an agent tells of a task of the stage, in the name of somebody else."""
    sizes = {"download_bytes": len(STATE), "upload_bytes": len(STATE)}
    return client_record(1, 3, agent="somebody-else", **(sizes | changes))
