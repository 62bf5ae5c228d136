"""The agent's line to the controller: the main socket, and the heartbeats on theirs, opened anew after each break."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agents.heartbeat import Heart
from agents.offset import Exchange
from harness import transport
from harness.errors import TransportError
from harness.protocol.codec import decode_beat
from harness.protocol.messages import BeatEcho, Message, Welcome
from harness.transport import Arrival, Channel, Security

log = logging.getLogger("agents")

JOIN_S = 10.0
"""A Hello that got no answer for so long is said again, over a new socket."""
RETRY_S = 1.0
"""Where the connection breaks before the answer, it is said again so soon at first, then after twice the time each."""
SETTLE_S = 1.0
"""A connection is left this long to be known: a Hello and a heartbeat travel on two sockets."""


class Line:
    """Sockets of one connection after the other. Opens the first at once.

    Raises:
        TransportError: the endpoint is malformed.
    """

    def __init__(
        self, endpoint: str, agent: str, session: str, now: Callable[[], float], security: Security | None = None
    ) -> None:
        self._endpoint, self._agent, self._session, self._now = endpoint, agent, session, now
        self._security = security
        self._main = transport.connect(endpoint, security)
        self._beat: Channel | None = None
        self._heart: Heart | None = None
        self._opened_s, self._join_s, self._retry_s = now(), JOIN_S, RETRY_S
        self.connection = 1
        """The how-manieth connection this is."""
        self._earlier_wire_bytes = self._beside_wire_bytes = 0
        self._exchanges: list[Exchange] = []
        self._refusal: str | None = None

    @property
    def wire_bytes(self) -> int:
        """Bytes of the main sockets, both ways, of this connection and all before it; without what went beside the
        choreography, for a record tells what a task takes.
        """
        here_bytes = self._main.sent_wire_bytes + self._main.received_wire_bytes
        return self._earlier_wire_bytes + here_bytes - self._beside_wire_bytes

    @property
    def refused(self) -> bool:
        """Whether the handshake was refused since a Welcome came last; the log has said why."""
        return self._refusal is not None

    def reopen(self) -> None:
        """Let go of this connection and open a new one, under a new routing id."""
        self._earlier_wire_bytes, self._beside_wire_bytes = self.wire_bytes, 0
        self.close(0.0)
        self._main = transport.connect(self._endpoint, self._security)
        self._opened_s, self._join_s, self._retry_s = self._now(), JOIN_S, min(JOIN_S, 2 * self._retry_s)
        self.connection += 1

    def send(self, message: Message, payload: bytes | None = None) -> None:
        """Send over the main socket."""
        self._main.send(message, payload)

    def send_beside(self, message: Message) -> None:
        """Send over the main socket what is no part of any task; its bytes are not counted."""
        before_bytes = self._main.sent_wire_bytes
        self._main.send(message)
        self._beside_wire_bytes += self._main.sent_wire_bytes - before_bytes

    def exchanges(self) -> list[Exchange]:
        """What answered heartbeats told of the clocks since this was asked last."""
        exchanges, self._exchanges = self._exchanges, []
        return exchanges

    def start_heart(self, welcome: Welcome) -> None:
        """Send heartbeats from now on, to the beat port of the controller's host."""
        if self._beat is not None:
            self._beat.close(0.0)
        host = self._endpoint.rpartition(":")[0]
        self._beat = transport.connect(f"{host}:{welcome.beat_port}", self._security)
        self._heart = Heart(
            self._agent, self._session, welcome.heartbeat_s, welcome.lost_after_s, self._now(), self.connection
        )
        self._refusal, self._retry_s = None, RETRY_S / 2

    def wait(self, fds: list[int], timeout_s: float) -> set[int]:
        """Wait for a message, a readable descriptor, the next heartbeat, or so long."""
        channels = [self._main] if self._beat is None else [self._main, self._beat]
        sockets = [socket for channel in channels for socket in (channel.socket, channel.monitor)]
        return transport.wait(sockets, fds, min(timeout_s, self._wait_s()))

    def receive(self) -> list[Arrival]:
        """Messages of the main socket that are here."""
        return self._main.receive()

    def tend(self, doing: str) -> str | None:
        """Send the heartbeat that is due, take the echoes; returns why the controller counts as lost, if it does."""
        now_s = self._now()
        broke = self._main.broken()
        self._notice_refusal()
        if self._heart is None or self._beat is None:
            # The socket connects again by itself, with a back-off; what it was to say may be lost, though.
            if broke and self._refusal is None:
                self._join_s = min(self._join_s, self._retry_s)
            unanswered = now_s - self._opened_s > self._join_s
            return f"the controller at {self._endpoint} did not answer" if unanswered else None
        if broke:
            return "the connection broke"
        if reason := self._hear(self._heart, self._beat, now_s):
            return reason
        beat = self._heart.beat(doing, self._now())
        if beat is not None:
            self._beat.send(beat)
        return None

    def _hear(self, heart: Heart, channel: Channel, now_s: float) -> str | None:
        """Take the echoes; returns why the controller counts as lost."""
        for arrival in channel.receive():
            try:
                echo = decode_beat(arrival.head)
            except TransportError:
                continue  # as good as none: silence tells
            if not isinstance(echo, BeatEcho):
                continue
            if exchange := heart.echoed(self._now(), echo):
                self._exchanges.append(exchange)
            if not echo.known and now_s - self._opened_s > SETTLE_S:
                return "the controller does not know this agent any more"
        channel.broken()  # it connects again by itself; silence tells
        return "the controller was silent for too long" if heart.lost(now_s) else None

    def _notice_refusal(self) -> None:
        """Log why the handshake was refused, once for all tries: the next Hello tries again."""
        refusal = self._main.refused()
        if refusal is not None and refusal != self._refusal:
            self._refusal = refusal
            log.error("%s; this agent tries again every %.0f s", refusal, JOIN_S)

    def late_s(self, now_s: float) -> float:
        """For how long it has been time to say something over this line; 0: it is not."""
        if self._heart is None:
            return max(0.0, now_s - self._opened_s - self._join_s)
        return self._heart.late_s(now_s)

    def close(self, linger_s: float = 1.0) -> None:
        """Close the sockets; what was sent last has ``linger_s`` to leave."""
        self._main.close(linger_s)
        if self._beat is not None:
            self._beat.close(0.0)
        self._beat = self._heart = None

    def _wait_s(self) -> float:
        now_s = self._now()
        return max(0.0, self._opened_s + self._join_s - now_s) if self._heart is None else self._heart.wait_s(now_s)
