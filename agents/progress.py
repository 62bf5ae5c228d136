"""Whether an agent that turns its loop gets anywhere: what the watchdog is fed by. Pure.

Waiting is no lack of progress: for a controller that is away for days, for a transfer over a slow link, for a training
of hours, for a hash. Lack of it is what cannot end by itself: a word that is long due and not said, a training that no
process carries out, a transfer that nothing moves. A loop that does not turn does not even ask.
"""

from __future__ import annotations

from dataclasses import dataclass

GRACE_S = 10.0
"""What is missing now may be there after the next turn; a process takes a moment to be started again."""


@dataclass(frozen=True)
class Look:
    """What a turn of the loop sees. ``doing`` is the machine's word, ``trainer`` what its trainer is to be at.

    ``late_s``: for how long a heartbeat, or another try to connect, has been due. ``moves``: a transfer is under way.
    ``trains``: there is a trainer process.
    """

    doing: str
    trainer: str
    late_s: float
    moves: bool
    trains: bool

    @property
    def stuck(self) -> bool:
        """Whether nothing that is under way could bring this on."""
        if self.late_s > GRACE_S:
            return True
        if self.trainer in ("preparing", "training"):
            return not self.trains
        return self.doing in ("provisioning", "fetching", "sending") and not self.moves


class Progress:
    """Since when an agent has been stuck, if it is."""

    def __init__(self) -> None:
        self._stuck_s: float | None = None

    def made(self, look: Look, now_s: float) -> bool:
        """Whether there is any; False only of what has been stuck for longer than a moment."""
        if not look.stuck:
            self._stuck_s = None
            return True
        self._stuck_s = now_s if self._stuck_s is None else self._stuck_s
        return now_s - self._stuck_s <= GRACE_S
