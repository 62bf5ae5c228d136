"""When a device counts as idle: while it waits for a task, and nobody examines it. Pure."""

from __future__ import annotations

SETTLE_S = 1.0
"""A trainer that has just built its model, or has just trained, is still busy for a moment."""
LEAST_S, MOST_S = 2.0, 10.0
"""A baseline is of so long at least; it is not taken longer, for the rest of the report waits for it."""
WORKING = ("fetching", "training", "sending")


class IdleTime:
    """The first long enough time that tells what a device takes while it does nothing; nothing waits for it.

    ``over``: it is known, or a first task came before it was, so that what waits for it waits no longer. ``window``:
    its begin and end on the agent's clock; None: there was too little of it yet. An agent that got its first task at
    once finds it later, between tasks.
    """

    def __init__(self) -> None:
        self.over = False
        self.window: tuple[float, float] | None = None
        self._begin_s: float | None = None

    def look(self, doing: str, now_s: float, *, quiet: bool) -> bool:
        """What the agent is doing now, and whether the rest of it is ``quiet``; returns whether the window closed."""
        if self.window is not None:
            return False
        if doing == "idle" and quiet and self._begin_s is None:
            self._begin_s = now_s + SETTLE_S
        self.over |= doing in WORKING
        if doing == "idle" and (self._begin_s is None or now_s < self._begin_s + MOST_S):
            return False
        begin_s, self._begin_s = self._begin_s, None
        if begin_s is None or now_s < begin_s + LEAST_S:
            return False
        self.window, self.over = (begin_s, min(now_s, begin_s + MOST_S)), True
        return True
