"""jetson-stats as a source, where the sensors' files are not there to be read. Optional: it is AGPL-3.0.

``import jtop`` forces the fork start method on multiprocessing, which breaks CUDA workers: so the sampler process alone
imports it. Facts behind the rest (jetson-stats 7.2): units are mV, mA, mW, kHz, kB and degrees; -256 means off; a rail
that it takes for the total is no longer among the rails; its totals differ between versions, and are not used; values
stay as they are when its service stops, and only ``uptime`` tells; when the service ends, ``JtopException``,
``queue.Empty`` or ``EOFError`` come out, or ``ok()`` is False.
"""

from __future__ import annotations

import queue
import time
from typing import Any

from harness.sensors.answers import Answer, answer_of
from harness.sensors.fields import UPTIME
from harness.sensors.rails import Total, total_of, watts

SHORTEST_INTERVAL_S = 0.1
GAPS = 3
"""So many of its intervals without a new answer, and what it says is stale."""
BROKEN = (queue.Empty, EOFError, OSError, LookupError, AttributeError, TypeError, ValueError)
"""What comes out of a service that went away, or out of an answer that is not as it should be."""


class JetsonStats:
    """Its service's answers, each told once; ``module`` is the package jtop."""

    name = "jtop"
    slow: tuple[str, ...] = ()

    def __init__(self, module: Any, hz: float) -> None:
        self._module, self._interval_s = module, max(SHORTEST_INTERVAL_S, 1 / hz)
        self._errors = (module.JtopException, *BROKEN)
        self._service: Any = None
        self._labels: tuple[str, ...] = ()
        self._told_at_s = time.monotonic()
        self._uptime_s: float | None = None
        self._trouble: str | None = None
        self._facts: dict[str, Any] = {"jetson_stats": str(getattr(module, "__version__", "unknown"))}
        self.total = Total((), ())
        self.fast: tuple[str, ...] = (UPTIME,)
        self.gap_s = GAPS * self._interval_s

    @property
    def answers(self) -> bool:
        """Whether the service answered the last time it was asked."""
        return self._service is not None

    def read_fast(self) -> list[float | None] | None:
        """What the service newly said; nothing but its uptime where it has been silent for too long."""
        answer = self._ask()
        now_s = time.monotonic()
        if answer is not None and answer.uptime_s != self._uptime_s:
            self._uptime_s, self._told_at_s = answer.uptime_s, now_s
            self._lay_out(answer)
            return [watts(self.total.rails, answer.rails_w), answer.uptime_s, *answer.values(self.fast[1:])]
        if now_s - self._told_at_s < self.gap_s:
            return None
        self._told_at_s = now_s
        return [None, self._uptime_s if answer else None, *(None for _ in self.fast[1:])]

    def read_slow(self) -> list[float | None]:
        """Nothing: all of an answer comes at once."""
        return []

    def facts(self) -> dict[str, Any]:
        """What the service says of the board; ``trouble`` is why it does not answer."""
        return {**self._facts, "trouble": self._trouble}

    def _ask(self) -> Answer | None:
        try:
            if self._service is None:
                self._service = self._module.jtop(interval=self._interval_s)
                self._service.start()
            if not self._service.ok(spin=True):
                raise EOFError("the service of jetson-stats closed the connection")
            answer = answer_of(self._service)
        except self._errors as error:
            self._leave(f"{type(error).__name__}: {error}")
            return None
        self._trouble = None
        return answer

    def _leave(self, why: str) -> None:
        self._trouble = why
        service, self._service = self._service, None
        try:
            if service is not None:
                service.close()
        except self._errors as error:
            self._trouble = f"{why}; {type(error).__name__}: {error}"

    def _lay_out(self, answer: Answer) -> None:
        """Fields are those of the first answer; a board does not grow rails."""
        self._facts.update(answer.facts)
        if self.fast == (UPTIME,):
            self.fast = (UPTIME, *answer.fields)
            self.total = total_of(answer.rails_w, str(answer.facts.get("board") or ""))


def opened(hz: float, patient: bool) -> JetsonStats | None:
    """The service of jetson-stats; None without the package, and, unless ``patient``, where it does not answer."""
    try:
        import jtop
    except ImportError:
        return None
    source = JetsonStats(jtop, hz)
    source.read_fast()
    return source if patient or source.answers else None
