"""How long a run will still take: pure arithmetic over what its rounds took so far."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

WINDOW = 10


def remaining_s(lap_s: Sequence[float], rounds_left: int, open_s: float = 0.0) -> float | None:
    """Seconds left: the median of the last ten rounds' wall seconds, evaluation included, times the rounds left.

    ``open_s`` is what the open round, one of those left, took so far; a round that takes longer than the median is
    counted as if it ended now. None before the first round has ended: nothing is known then, and a guess would be
    dishonest.
    """
    if rounds_left == 0:
        return 0.0
    if not lap_s:
        return None
    usual_s = statistics.median(lap_s[-WINDOW:])
    return usual_s * rounds_left - min(open_s, usual_s)


def spoken(seconds: float | None) -> str:
    """Seconds for a person, coarse: "40 s", "3 min", "2.5 h"; "?" where unknown."""
    if seconds is None:
        return "?"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
