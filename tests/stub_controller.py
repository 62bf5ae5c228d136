"""A controller of a few dozen lines: welcomes one agent, provisions it, serves blobs, lands updates."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.blobs import Landing
from harness.profiles import LinkProfile
from harness.protocol import codec
from harness.protocol import messages as m
from harness.protocol.transfer import spans
from harness.transport import LOOPBACK, Server, listen

FREE = LinkProfile(name="free")
AHEAD_S = 1000.0
"""The clock of its runs is so far ahead of the agents'."""
PREPARE = {"method": "federa", "settings": {}, "train": {"trainer": "null"}, "labels": 2, "threads": 1}


def blob(name: str, data: bytes) -> m.BlobRef:
    return m.BlobRef(name=name, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


@dataclass
class StubController:
    folder: Path
    link: LinkProfile = FREE
    init: bytes | None = None
    shards: dict[str, bytes] = field(default_factory=lambda: {"3": b"fine"})
    damaged: list[str] = field(default_factory=list)
    answer_beats: bool = True
    lost_after_s: float = 20.0
    accepts: bool = True
    run_id: str = "r"
    remembers: bool = True
    knows: bool = True
    endpoint: str = LOOPBACK
    telemetry_hz: float = 0.0

    def __post_init__(self) -> None:
        self.server: Server = listen(self.endpoint)
        self.peer = b""
        self.seen: list[m.ToController] = []
        self.fetched_bytes: dict[str, int] = {}
        self.beats: list[m.Beat] = []
        self.session: str | None = None
        self.landed_bytes = 0
        self.landing: Landing | None = None
        self.store: dict[str, bytes] = {}
        self.base = self.put("weights", b"w" * 700_000)

    def put(self, name: str, data: bytes) -> m.BlobRef:
        ref = blob(name, data)
        self.store[ref.sha256] = data
        return ref

    def provision(self) -> m.Provision:
        shards = tuple(self.put(name, data) for name, data in self.shards.items())
        init = None if self.init is None else self.put("init", self.init)
        return m.Provision(
            base=(self.base,),
            shards=shards,
            init=init,
            prepare=PREPARE,
            link=self.link,
            link_seed=5,
            telemetry_hz=self.telemetry_hz,
        )

    def task(
        self, state: bytes, client: int = 3, attempt: int = 1, less: tuple[bytes, bytes] | None = None
    ) -> m.TaskRef:
        """Give a task; ``less`` is a lean file, and the state that it builds on."""
        ref, lean = m.TaskRef(round=1, client=client, attempt=attempt), None
        if less is not None:
            lean = m.LeanState(blob=self.put("lean", less[0]), since=blob("state", less[1]).sha256)
        self.send(m.Task(ref=ref, state=self.put("state", state), seed=1, lean=lean))
        return ref

    def send(self, message: m.Message, payload: bytes | None = None) -> bool:
        return self.server.send(self.peer, message, payload)

    def until(self, kind: type[m.Message], count: int = 1) -> m.ToController:
        """Work until the agent said ``kind`` for the ``count``-th time; returns that message."""
        while len(found := [message for message in self.seen if isinstance(message, kind)]) < count:
            self.turn()
        return found[count - 1]

    def until_doing(self, doing: str) -> None:
        """Work until a heartbeat says what the agent is doing."""
        known = len(self.beats)
        while doing not in [beat.doing for beat in self.beats[known:]]:
            self.turn()

    def turn(self) -> None:
        arrivals, _ = self.server.poll(30.0)
        assert arrivals, f"nothing came for 30 s; so far {self.seen}"
        for arrival in arrivals:
            self.take(arrival)

    def take(self, arrival) -> None:
        if arrival.beat:
            self.beats.append(beat := codec.decode_beat(arrival.head))
            if self.answer_beats:
                self.server.send(arrival.peer, self.echo_of(beat), beat=True)
            return
        message = codec.decode_to_controller(arrival.head)
        if not isinstance(message, m.Chunk):
            self.seen.append(message)
        match message:
            case m.Hello():
                self.welcome(arrival.peer, message)
            case m.Fetch():
                self.serve(message)
            case m.Offer() if self.accepts:
                self.let_go()
                self.landing = Landing(message.blob, self.folder / "update", resume=True)
                self.send(self.landing.incoming.accept())
            case m.Chunk():
                self.land(message, arrival.payload)

    def echo_of(self, beat: m.Beat) -> m.BeatEcho:
        now_s = time.monotonic() + AHEAD_S
        return m.BeatEcho(number=beat.number, known=self.knows, beat_sent_s=beat.sent_s, received_s=now_s, sent_s=now_s)

    def welcome(self, peer: bytes, hello: m.Hello) -> None:
        """Go on with a session that is known, unless it is not to be remembered."""
        resumed = self.remembers and self.session == hello.session
        self.peer, self.session = peer, hello.session
        welcome = m.Welcome(
            run_id=self.run_id,
            beat_port=self.server.beat_port,
            heartbeat_s=0.05,
            lost_after_s=self.lost_after_s,
            resumed=resumed,
        )
        self.send(welcome)
        if not (resumed and hello.provisioned):
            self.send(self.provision())

    def let_go(self) -> None:
        """Of an update that is under way; what landed stays in its partial file."""
        if self.landing:
            self.landing.close()

    def go_down(self) -> None:
        """Break all connections."""
        self.endpoint = self.server.endpoint
        self.server.close(0)

    def come_back(self) -> None:
        """Listen again, at the same address."""
        self.server = listen(self.endpoint)

    def serve(self, fetch: m.Fetch) -> None:
        data = self.store[fetch.sha256]
        for span in spans(fetch, len(data)):
            part = data[span.offset : span.offset + span.size_bytes]
            self.fetched_bytes[fetch.sha256] = self.fetched_bytes.get(fetch.sha256, 0) + len(part)
            if fetch.sha256 in self.damaged:
                self.damaged.remove(fetch.sha256)
                part = bytes(len(part))
            self.send(m.Chunk(sha256=fetch.sha256, offset=span.offset), part)

    def land(self, chunk: m.Chunk, data) -> None:
        self.landed_bytes += len(data)
        if self.landing.arrived(chunk.offset, data):
            verdict = self.landing.finish()
            self.send(verdict)
        elif credit := self.landing.incoming.credit():
            self.send(credit)


def start_agent(
    controller: StubController, cache: Path, log: Path, *, once: bool = False, environ: Mapping[str, str] = os.environ
) -> subprocess.Popen[bytes]:
    script = Path(__file__).with_name("stub_agent.py")
    command = [sys.executable, str(script), controller.server.endpoint, str(cache), *(["once"] if once else [])]
    with log.open("ab") as stderr:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=stderr, env=dict(environ))
