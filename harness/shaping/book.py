"""Which flows the helper keeps, for whom, and when their rates change. Pure: the caller holds the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite

from harness.links.kernel import FIRST_SLOT, LAST_SLOT, LEAST_MBPS, MOST_MBPS, Flow, Nic, rates_of
from harness.links.trace import RateTrace
from harness.profiles import RateProfile
from harness.shaping.allowance import trace_of

LEAST_STEP_S = 0.05
"""A change of rate runs a program; below this that would be most of what the helper does."""
TOGETHER_S = 0.002
"""Changes that are due so soon are made now, with those that are due."""
MOST_RATES = 10_000
"""Of a recorded trace. A client could otherwise fill the memory of the helper, which has a hundred bytes for each."""
LONGEST_WAIT_S = 3600.0
"""Within what the kernel can wait at once, however long a step is."""

Key = tuple[str, int, str]


def check_rate(rate: RateProfile) -> None:
    """Raise where no class could have a rate, or the helper not follow its steps.

    Raises:
        ValueError: it is too low or too high, or its steps are too short, too long, or too many.
    """
    for mbps in rates_of(rate):
        if not LEAST_MBPS <= mbps <= MOST_MBPS:  # nor is NaN
            raise ValueError(f"no class has {mbps:g} Mbit/s; it has from {LEAST_MBPS:g} to {MOST_MBPS:g}")
    if rate.rate_mbps is not None:
        return
    if rate.step_s < LEAST_STEP_S:
        raise ValueError(f"step_s {rate.step_s:g} is too short: a rate changes every {LEAST_STEP_S:g} s at most")
    if not isfinite(rate.step_s):
        raise ValueError(f"step_s {rate.step_s:g} never ends; give a constant rate")
    if len(rate.rates_mbps) > MOST_RATES:
        raise ValueError(f"{len(rate.rates_mbps)} rates are too many: a trace has {MOST_RATES} at most")


@dataclass
class Kept:
    """A flow: whose it is, where, and since when. ``rate_bps`` is the payload's rate that its class has now.

    Its ``trace`` is its own, and goes with it.
    """

    owner: int
    flow: Flow
    nic: Nic
    slot: int
    trace: RateTrace
    rate_bps: float
    begun_s: float = 0.0
    step: int = field(default=0)

    @property
    def changes(self) -> bool:
        """Whether its rate is not constant."""
        return self.flow.rate.rate_mbps is None

    def due_s(self) -> float:
        """When its next step begins."""
        return self.begun_s + (self.step + 1) * self.flow.rate.step_s


class Book:
    """Flows by what they match."""

    def __init__(self) -> None:
        self._kept: dict[Key, Kept] = {}

    def admit(self, owner: int, flow: Flow, nic: Nic) -> Kept:
        """A place for a flow.

        Raises:
            ValueError: there is one like it, too many, or it changes too often; a clause for people.
        """
        for other in self._kept.values():
            if flow.overlaps(other.flow):
                whose = "this process" if other.owner == owner else "another process"
                raise ValueError(
                    f"{whose} shapes the packets to {flow.peer} and port {flow.port} already; two agents behind one "
                    "address cannot be told apart"
                )
        check_rate(flow.rate)
        taken = {kept.slot for kept in self._kept.values()}
        free = (slot for slot in range(FIRST_SLOT, LAST_SLOT + 1) if slot not in taken)
        slot = next(free, None)
        if slot is None:
            raise ValueError(f"{len(taken)} flows are shaped already, which is the most")
        trace = trace_of(flow.rate, flow.seed)
        kept = Kept(owner, flow, nic, slot, trace, trace.rate_bps(0.0))
        self._kept[flow.key] = kept
        return kept

    def find(self, owner: int, key: Key) -> Kept:
        """A flow of this owner.

        Raises:
            ValueError: it has no such flow.
        """
        kept = self._kept.get(key)
        if kept is None or kept.owner != owner:
            raise ValueError(f"nothing is shaped to {key[0]} and port {key[1]}")
        return kept

    def of(self, owner: int) -> list[Kept]:
        """All flows of an owner."""
        return [kept for kept in self._kept.values() if kept.owner == owner]

    def strike(self, kept: Kept) -> None:
        """It is not kept any more."""
        self._kept.pop(kept.flow.key, None)

    def used(self, interface: str) -> bool:
        """Whether a flow is kept on this interface."""
        return any(kept.nic.name == interface for kept in self._kept.values())

    def wait_s(self, now_s: float) -> float | None:
        """How long until a rate changes; None: never."""
        due = [kept.due_s() for kept in self._kept.values() if kept.changes]
        return min(LONGEST_WAIT_S, max(0.0, min(due) - now_s)) if due else None

    def due(self, now_s: float) -> list[Kept]:
        """Flows whose rate changes now, with their new one; steps that were missed are left out."""
        changed = [kept for kept in self._kept.values() if kept.changes and kept.due_s() <= now_s + TOGETHER_S]
        for kept in changed:
            step_s = kept.flow.rate.step_s
            kept.step = max(kept.step + 1, int((now_s + TOGETHER_S - kept.begun_s) / step_s))
            kept.rate_bps = kept.trace.rate_bps((kept.step + 0.5) * step_s)
        return changed
