"""Both ends of the protocol in one process: the wire between them, which a test plays. Nothing waits.

A connection keeps the order of its messages, and two connections keep none between them: what an agent said over a
broken one may be read after what it says over the next one, or never.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from random import Random

from harness.protocol import messages as m
from harness.protocol.codec import encode
from harness.transport import Arrival

Frames = tuple[bytes, "bytes | None"]


class Wire:
    """One connection of an agent: messages on their way, both ways. ``opens_s``: it does not stand before.

    ``dead``: nothing that is said from now on arrives. ``left``: the agent has closed it; ``noticed``: and the
    controller's socket knows.
    """

    def __init__(self, id: bytes, opens_s: float) -> None:
        self.id, self.opens_s = id, opens_s
        self.up, self.down = deque[Frames](), deque[Frames]()
        self.dead = self.left = self.noticed = False
        self.notice_s = float("inf")

    def leave(self, random: Random, now_s: float) -> None:
        """The agent closes it: what the network has taken already may still be read."""
        self.left = self.dead = True
        self.down.clear()
        taken = random.randint(0, len(self.up)) if now_s >= self.opens_s else 0
        self.up = deque(list(self.up)[:taken])


class Net:
    """All connections of a run so far, the clock, and what goes wrong: ``loss`` of the messages of transfers."""

    def __init__(self, random: Random) -> None:
        self.random, self.now_s = random, 0.0
        self.loss = 0.0
        self.wires: list[Wire] = []
        self.beats: list[Arrival] = []
        """Heartbeats have a connection of their own, on which some are lost and none waits."""
        self.echo: dict[bytes, Callable[[m.BeatEcho], None]] = {}
        self._opened = 0

    def open(self, down_s: float) -> Wire:
        self._opened += 1
        self.wires.append(Wire(b"wire%d" % self._opened, self.now_s + down_s))
        return self.wires[-1]

    def lost(self, message: m.Message) -> bool:
        """Whether this one is dropped on the way; what ends a task, or begins it, never is while a wire stands."""
        kinds = m.Chunk | m.Fetch | m.Offer | m.Accept | m.Credit | m.Received
        return isinstance(message, kinds) and self.random.random() < self.loss


class PlayedServer:
    """The controller's sockets. ``down``: it was killed, or has not come back yet."""

    endpoint, beat_port, closed = "tcp://nowhere:1", 2, False

    def __init__(self, net: Net) -> None:
        self._net, self.down = net, False
        self.refused = Counter[str]()
        self.arrivals: list[Arrival] = []

    def poll(self, timeout_s: float, fds: Sequence[int] = ()) -> tuple[list[Arrival], set[int]]:
        arrivals, self.arrivals = self.arrivals, []
        return arrivals, set()

    def send(self, peer: bytes, message: m.Message, payload: bytes | None = None, *, beat: bool = False) -> bool:
        if self.down:
            return False
        if beat:
            echo = self._net.echo.get(peer)
            if echo is not None and isinstance(message, m.BeatEcho):
                echo(message)
            return True
        wire = next(wire for wire in self._net.wires if wire.id == peer)
        wire.noticed = wire.noticed or (wire.left and self._net.random.random() < 0.5)
        if not wire.dead and not self._net.lost(message):
            wire.down.append((encode(message), payload))
        return not wire.noticed

    def name_of(self, user: str) -> str | None:
        return None

    def newly_revoked(self) -> set[str]:
        return set()

    def known(self, peer: bytes) -> None:
        """Nothing is limited here."""

    def close(self) -> None:
        self.closed = True
