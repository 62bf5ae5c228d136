"""The ends of a link, each a process of its own: the controller's answers, the agent's moves bytes and prints rows.

    python link_ends.py '{"at": "agent", "by": "kernel", "through": "chunks", "rate": {"rate_mbps": 25}, ...}'

``by``: "user", the pace of agents.shaping; "kernel", classes that each end asks its machine's helper for; "nothing".
``through``: "chunks", the messages of agents and controllers over harness.transport; "tcp", a plain connection.
``at``: "agent", "controller", or "watcher", who counts what goes through the interface until it is ended.
"""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from agents.shaping import Download, Upload
from harness.blobs import Landing
from harness.links import Pacer
from harness.links.shape import rate_trace
from harness.profiles import RateProfile
from harness.protocol import codec
from harness.protocol import messages as m
from harness.protocol.transfer import spans
from harness.shaping import Applied, Flow, Shaper
from harness.shaping.ends import answer, ask, read_interface
from harness.transport import Channel, connect, listen, wait

CONTROLLER, AGENT = "10.78.1.1", "10.78.1.2"
PORT, BEAT_PORT = 5555, 5556
CABLE = "cable"


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What an end is told; see the module."""

    at: str
    rate: RateProfile
    size_bytes: int
    ways: tuple[str, ...]
    by: str
    through: str
    folder: Path
    socket: Path
    seed: int = 7


class End:
    """What both ends have: their orders, and the kernel's class where it is to keep the rate."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.shaper: Shaper | None = None
        self.applied: Applied | None = None
        if orders.by == "kernel":
            peer = CONTROLLER if orders.at == "agent" else AGENT
            told = {"peer": peer, "at": orders.at, "rate": orders.rate, "seed": orders.seed}
            self.flow = Flow(port=PORT, beat_port=BEAT_PORT, **told)
            self.shaper = Shaper.connect(orders.socket)
            self.applied = self.shaper.shape(self.flow)

    def pacer(self, now_s: float) -> Pacer:
        """The pace that an agent keeps itself."""
        orders = self.orders
        return Pacer(rate_trace(orders.rate, orders.seed) if orders.by == "user" else None, 0.0, now_s)

    def tell(self, **row: Any) -> None:
        """Print a row."""
        print(json.dumps(row, default=msgspec.to_builtins), flush=True)

    def close(self) -> None:
        """Tell what was applied, and what the class counted."""
        counted = None if self.shaper is None else self.shaper.counted(self.flow)
        self.tell(at=self.orders.at, applied=self.applied, counted=counted)


def controller(end: End) -> None:
    """Answer until the agent's end has done all."""
    if end.orders.through == "chunks":
        _serve_chunks(end.orders)
    else:
        with socket.create_server((CONTROLLER, PORT)) as listener:
            end.tell(at="controller", listens=True)
            for _ in end.orders.ways:
                answer(listener)
    end.close()


def _serve_chunks(orders: Orders) -> None:
    """Chunks for Fetch, a landing for Offer, as the controller's fleet does it."""
    server = listen(f"tcp://{CONTROLLER}:{PORT}")
    print(json.dumps({"at": "controller", "listens": True}), flush=True)
    state, landing = blob_bytes(orders.size_bytes), None
    while True:
        for arrival in server.poll(None)[0]:
            server.known(arrival.peer)
            match message := codec.decode_to_controller(arrival.head):
                case m.Fetch():
                    for span in spans(message, len(state)):
                        data = state[span.offset : span.offset + span.size_bytes]
                        server.send(arrival.peer, m.Chunk(sha256=message.sha256, offset=span.offset), data)
                case m.Offer():
                    landing = Landing(message.blob, orders.folder / "update", resume=False)
                    server.send(arrival.peer, landing.incoming.accept())
                case m.Chunk():
                    assert landing is not None
                    assert arrival.payload is not None
                    if landing.arrived(message.offset, arrival.payload):
                        server.send(arrival.peer, landing.finish())
                    elif credit := landing.incoming.credit():
                        server.send(arrival.peer, credit)
                case m.Goodbye():
                    server.close(0.0)
                    return


def blob_bytes(size_bytes: int) -> bytes:
    """Bytes that are the same at both ends."""
    return (hashlib.sha256(b"state").digest() * (size_bytes // 32 + 1))[:size_bytes]


def agent(end: End) -> None:
    """Move a blob each way that was asked for, and tell what came of it."""
    line = Line(end) if end.orders.through == "chunks" else None
    for way in end.orders.ways:
        before, cpu_s = read_interface(CABLE), _cpu_s()
        from_s = time.monotonic()
        if line is None:
            seconds = ask((CONTROLLER, PORT), "up" if way == "up" else "down", end.orders.size_bytes)
        else:
            seconds = line.download() if way == "down" else line.upload()
        until_s = time.monotonic()
        cpu_share = (_cpu_s() - cpu_s) / (until_s - from_s)
        after = read_interface(CABLE)
        end.tell(way=way, seconds=seconds, until_s=until_s, cpu_share=cpu_share, before=before, after=after)
    if line is not None:
        line.close()
    end.close()


class Line:
    """The agent's socket, and transfers over it as the agent makes them. The connection is warm: one chunk came."""

    def __init__(self, end: End) -> None:
        self._end = end
        self._folder = end.orders.folder
        data = blob_bytes(end.orders.size_bytes)
        self._blob = m.BlobRef(name="blob", sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
        (self._folder / "data").write_bytes(data)
        self._channel: Channel = connect(f"tcp://{CONTROLLER}:{PORT}")
        self._channel.send(m.Fetch(sha256=self._blob.sha256, offset=0, credit_bytes=1024, chunk_bytes=1024))
        while not self._heard(1.0):
            pass

    def download(self) -> float:
        """Seconds from the first request to the last byte."""
        began_s = time.monotonic()
        landing = Landing(self._blob, self._folder / "state", resume=False)
        download = Download(landing, self._end.pacer(began_s), self._channel.send, began_s)
        while not download.landed():
            for message, payload in self._heard(download.pump(time.monotonic())):
                download.arrived(message.offset, payload, time.monotonic())
        return download.transfer(time.monotonic()).duration_s

    def upload(self) -> float:
        """Seconds from the first byte to the acknowledgement of the last."""
        offer = m.Offer(ref=m.TaskRef(round=1, client=1, attempt=1), blob=self._blob)
        upload = Upload(offer, self._folder / "data", self._end.pacer, self._channel.send, time.monotonic())
        upload.offer(time.monotonic())
        while True:
            for message, _ in self._heard(upload.pump(time.monotonic())):
                if isinstance(message, m.Received):
                    upload.close()
                    return upload.transfer(time.monotonic()).duration_s
                upload.take(message, time.monotonic())

    def close(self) -> None:
        """Say goodbye."""
        self._channel.send(m.Goodbye(agent="agent", reason="all was moved"))
        self._channel.close()

    def _heard(self, wait_s: float | None) -> list[tuple[Any, Any]]:
        wait([self._channel.socket], [], wait_s)
        return [(codec.decode_to_agent(arrival.head), arrival.payload) for arrival in self._channel.receive()]


def watcher(end: End) -> None:
    """Count every 10 ms; tell the first row at once, and all of them at SIGTERM."""
    rows: list[dict[str, Any]] = []
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    while not ended:
        rows.append({"at_s": time.monotonic(), "counted": read_interface(CABLE)})
        if len(rows) == 1:
            end.tell(**rows[0])
        time.sleep(0.01)
    for row in rows[1:]:
        end.tell(**row)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    told = msgspec.json.decode(sys.argv[1], type=Orders, dec_hook=lambda kind, value: kind(value))
    {"controller": controller, "agent": agent, "watcher": watcher}[told.at](End(told))
