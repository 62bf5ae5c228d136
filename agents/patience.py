"""How long to wait for the other side before saying something again. Pure: the caller holds the clock."""

from __future__ import annotations

STALL_S = 10.0
"""Patience at first: nothing moved for so long."""
SLOWER = 1.25
"""On a link where progress takes longer than STALL_S, the next may take so many times what the last one took."""


class Patience:
    """A limit on lack of progress. It doubles each time it is reached, so that a slow link is not flooded with
    requests, and is set back by progress.
    """

    def __init__(self, now_s: float) -> None:
        self._since_s = self._moved_s = now_s
        self._limit_s = STALL_S

    def moved(self, now_s: float) -> None:
        """There was progress."""
        self._limit_s = max(STALL_S, SLOWER * (now_s - self._moved_s))
        self._since_s = self._moved_s = now_s

    def nothing_awaited(self, now_s: float) -> None:
        """It is not the other side's turn: time begins when it is."""
        self._since_s = self._moved_s = now_s

    def wait_s(self, now_s: float) -> float:
        """How much of it is left."""
        return max(0.0, self._since_s + self._limit_s - now_s)

    def lost(self, now_s: float) -> bool:
        """Whether it is used up: then it starts anew, twice as long."""
        if self.wait_s(now_s) > 0:
            return False
        self._since_s, self._limit_s = now_s, 2 * self._limit_s
        return True
