"""How long a run will still take: pure arithmetic over what its rounds took so far."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

WINDOW = 10


def remaining_s(lap_s: Sequence[float], rounds_left: float) -> float | None:
    """Seconds left: the median of the last ten rounds' wall seconds, evaluation included, times the rounds left.

    None before the first round has ended: nothing is known then, and a guess would be dishonest.
    """
    if not lap_s:
        return None
    return statistics.median(lap_s[-WINDOW:]) * rounds_left


def spoken(seconds: float | None) -> str:
    """Seconds for a person, coarse: "40 s", "3 min", "2.5 h"; "?" where unknown."""
    if seconds is None:
        return "?"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
