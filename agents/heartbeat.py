"""When to send a heartbeat, and when the controller counts as lost. Pure: the caller holds clock and socket."""

from __future__ import annotations

from collections import deque

from agents.offset import Exchange, exchange_of
from harness.protocol.messages import Beat, BeatEcho

AWAITED = 16
"""The stamps of so many heartbeats are kept for their echoes; of an older one that is echoed nothing can be told."""


class Heart:
    """Beats every ``interval_s``; without an echo for ``lost_after_s`` the controller is lost.

    Each beat tells the session, and the how-manieth ``connection`` of it this is.
    """

    def __init__(
        self, agent: str, session: str, interval_s: float, lost_after_s: float, now_s: float, connection: int = 1
    ) -> None:
        self._agent, self._session, self._connection = agent, session, connection
        self._interval_s, self._lost_after_s = interval_s, lost_after_s
        self._next_s = self._echo_s = self._looked_s = now_s
        self._number = 0
        self._sent: deque[tuple[int, float]] = deque(maxlen=AWAITED)

    def wait_s(self, now_s: float) -> float:
        """How long until the next beat is due."""
        return max(0.0, self._next_s - now_s)

    def late_s(self, now_s: float) -> float:
        """For how long the next beat has been due; 0: it is not."""
        return max(0.0, now_s - self._next_s)

    def beat(self, doing: str, now_s: float) -> Beat | None:
        """The beat to send now, if one is due. Beats that were missed are not made up for."""
        if now_s < self._next_s:
            return None
        self._number += 1
        self._next_s = now_s + self._interval_s
        self._sent.append((self._number, now_s))
        return Beat(
            agent=self._agent,
            session=self._session,
            number=self._number,
            doing=doing,
            connection=self._connection,
            sent_s=now_s,
        )

    def echoed(self, now_s: float, echo: BeatEcho | None = None) -> Exchange | None:
        """The controller answered; returns what the four stamps of a heartbeat and its ``echo`` tell of the clocks.

        The echo must be of a heartbeat that was sent over this connection, with the very stamp of that one: nothing
        else is measured by it.
        """
        self._echo_s = now_s
        if echo is None or (echo.number, echo.beat_sent_s) not in self._sent:
            return None
        self._sent.remove((echo.number, echo.beat_sent_s))
        return exchange_of(echo.beat_sent_s, echo.received_s, echo.sent_s, now_s)

    def lost(self, now_s: float) -> bool:
        """Whether the controller was silent for too long; ask at least once an interval.

        Take the echoes that wait in the socket first. Time in which nobody asked, because this process itself was
        away (stopped, hashing a large file), is not the controller's silence.
        """
        away_s, self._looked_s = now_s - self._looked_s, now_s
        if away_s > 2 * self._interval_s:
            self._echo_s += away_s
        return now_s - self._echo_s > self._lost_after_s
