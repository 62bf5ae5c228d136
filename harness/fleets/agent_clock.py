"""From the clock of an agent to the run's clock, by what was measured of the two now and then. Pure."""

from __future__ import annotations

from bisect import bisect_right, insort

from harness.timeline import Offset


class AgentClock:
    """One agent's clock, from when it came until it comes again.

    ``since_s`` is the run's clock as the controller began: what an agent measured before that was measured while
    nobody's run went on, and has no place in it.
    """

    def __init__(self, since_s: float) -> None:
        self._since_s = since_s
        self._compared: dict[float, Offset] = {}
        self._moments_s: list[float] = []

    def compared(self, at_s: float, offset: Offset) -> None:
        """The clocks were compared at ``at_s`` of the agent's; of two comparisons at one moment the surer counts."""
        before = self._compared.get(at_s)
        if before is None:
            insort(self._moments_s, at_s)
        if before is None or offset.uncertainty_s < before.uncertainty_s:
            self._compared[at_s] = offset

    def run_s(self, at_s: float) -> float | None:
        """The run's clock at ``at_s`` of the agent's; None where nothing is known of it.

        Between two comparisons the offset goes evenly from one to the other, since clocks drift evenly; before the
        first and after the last it stays.
        """
        if not self._moments_s:
            return None
        run_s = at_s + self._offset_s(at_s)
        return run_s if run_s >= self._since_s else None

    def _offset_s(self, at_s: float) -> float:
        after = bisect_right(self._moments_s, at_s)
        if after == 0 or after == len(self._moments_s):
            return self._compared[self._moments_s[min(after, len(self._moments_s) - 1)]].offset_s
        early_s, late_s = self._moments_s[after - 1], self._moments_s[after]
        early, late = self._compared[early_s].offset_s, self._compared[late_s].offset_s
        return early + (late - early) * (at_s - early_s) / (late_s - early_s)
