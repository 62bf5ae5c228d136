"""The sensors of the device beside the rounds: a sampler process while a run lasts, what it read, what it means.

Whatever happens to the sampler, no task is the worse for it: then there are no samples, and the log says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from agents.unsent import Unsent
from harness.protocol import messages as m
from harness.vitals import Vitals

log = logging.getLogger("agents")

T = TypeVar("T")


class SamplerLike(Protocol):
    """What an agent asks of :class:`harness.sensors.Sampler`."""

    @property
    def fd(self) -> int:
        """To wait on."""

    def read(self) -> Iterable[m.Telemetry]:
        """What came, without waiting."""

    def window(self, begin_s: float, end_s: float) -> Vitals | None:
        """What the sensors told between two moments of the monotonic clock."""

    def idle(self, begin_s: float, end_s: float) -> float | None:
        """Take this time as the idle baseline, in watts."""

    def describe(self) -> dict[str, Any]:
        """What is read, and of which device."""

    def close(self) -> None:
        """End it."""


StartSampler = Callable[[Path, float], "SamplerLike | None"]


def start_sampler(root: Path, hz: float) -> SamplerLike | None:
    """The project's sampler; imported when a run wants it, so that the agent's start stays light."""
    from harness.sensors import Sampler

    return Sampler.start(root, hz)


class Telemetry:
    """At most one sampler. ``root`` is where its sensors are: "/", or a made tree's folder."""

    def __init__(self, root: Path, start: StartSampler = start_sampler) -> None:
        self._root, self._start = root, start
        self._sampler: SamplerLike | None = None
        self._hz = 0.0
        self._unsent = Unsent()

    @property
    def fds(self) -> list[int]:
        """To wait on: readable when the sampler has something to say."""
        return [] if self._sampler is None else [self._sampler.fd]

    def begin(self, hz: float) -> None:
        """Have the sensors read so often; 0: not at all. Those that are go on."""
        if hz == self._hz and (self._sampler is not None or hz == 0):
            return
        self.end()
        self._hz = hz
        if hz > 0:
            try:
                self._sampler = self._start(self._root, hz)
            except Exception as error:
                log.warning("no sensors are read: %s: %s", type(error).__name__, error)

    def heard(self, ready: set[int]) -> None:
        """Take what the sampler says, if its descriptor is ``ready``."""
        if self._sampler is not None and self._sampler.fd in ready:
            self._take()

    def due(self, now_s: float, *, task_ended: bool = False) -> m.Telemetry | None:
        """Samples to send now, while no transfer is timed; those up to a task's end at once, for it may be the last."""
        if task_ended:
            self._take()
        return self._unsent.take(now_s, at_once=task_ended)

    def window(self, begin_s: float, end_s: float) -> Vitals | None:
        """What the sensors told of a task; None where there are none."""
        return self._asked(lambda sampler: sampler.window(begin_s, end_s))

    def idle(self, begin_s: float, end_s: float) -> float | None:
        """What the device takes while it waits, in watts; None: not known."""
        return self._asked(lambda sampler: sampler.idle(begin_s, end_s))

    def describe(self) -> dict[str, Any] | None:
        """What is read, and of which device."""
        return self._asked(lambda sampler: sampler.describe())

    def end(self) -> None:
        """Make sure that there is no sampler. What it had read is still to be sent, until this object goes."""
        sampler, self._sampler, self._hz = self._sampler, None, 0.0
        if sampler is None:
            return
        if self._unsent.lost_rows:
            log.warning("%d samples of sensors could not be sent in time", self._unsent.lost_rows)
            self._unsent.lost_rows = 0
        try:
            sampler.close()
        except Exception as error:
            log.warning("the sampler could not be ended: %s: %s", type(error).__name__, error)

    def _take(self) -> None:
        self._unsent.add(self._asked(lambda sampler: list(sampler.read())) or [])

    def _asked(self, question: Callable[[SamplerLike], T]) -> T | None:
        """The sampler's answer. One that fails is ended: a second try would fail as well, beside a training."""
        if self._sampler is None:
            return None
        try:
            return question(self._sampler)
        except Exception as error:
            log.warning("sensors are not read any more: %s: %s", type(error).__name__, error)
            hz = self._hz
            self.end()
            self._hz = hz
            return None
