"""Handshakes that failed at the controller's sockets: who does not speak as they do is seen nowhere else.

They are the connections that were accepted and did not succeed in time. libzmq can tell of the failures themselves, but
4.3.5 then leaves a connection open whose bytes were damaged, and nothing comes over it any more: it takes what became
of its own word to the monitor for what became of the connection.
"""

from __future__ import annotations

from collections import deque

import zmq

from harness.transport.monitor import next_event
from harness.transport.wire import readable

WATCHED = zmq.EVENT_ACCEPTED | zmq.EVENT_HANDSHAKE_SUCCEEDED
LONGEST_S = 6.0
"""A handshake that did not succeed by then has failed: HANDSHAKE_IVL is 5 s."""


class Handshakes:
    """Counts the failed ones of some sockets; close it before them."""

    def __init__(self, sockets: list[zmq.Socket[bytes]]) -> None:
        self._watched = sockets
        self._monitors = [socket.get_monitor_socket(WATCHED) for socket in sockets]
        self._recent_s: deque[float] = deque()
        self._without = self._told = 0

    def refused(self, count: int) -> None:
        """So many ended with a key that is not allowed, which is counted elsewhere."""
        self._without -= count

    def failed(self, now_s: float) -> int:
        """How many have failed, as is certain by now, since this was asked last."""
        for monitor in self._monitors:
            while readable(monitor):
                accepted = next_event(monitor) == zmq.EVENT_ACCEPTED
                self._without += 1 if accepted else -1
                if accepted:
                    self._recent_s.append(now_s)
        while self._recent_s and self._recent_s[0] < now_s - LONGEST_S:
            self._recent_s.popleft()
        more = max(0, self._without - len(self._recent_s) - self._told)
        self._told += more
        return more

    def close(self) -> None:
        """Stop watching."""
        for socket, monitor in zip(self._watched, self._monitors, strict=True):
            socket.disable_monitor()
            monitor.close(linger=0)
