"""The rate of a link over time: constant, a new draw every step, or recorded."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_right
from collections.abc import Sequence


def seed_of(link_seed: int, round: int, client: int, direction: str) -> int:
    """The seed of one transfer's trace: the same link whichever agent trains the client, and whenever."""
    return int.from_bytes(hashlib.sha256(f"{link_seed}/{round}/{client}/{direction}".encode()).digest(), "big")


class RateTrace:
    """Piecewise constant rate, from the transfer's first moment on.

    Every ``step_s`` a rate is drawn uniformly from [``min_bps``, ``max_bps``], in order, as far as somebody asks;
    equal bounds make a constant rate. ``recorded_bps`` takes the place of the draws: one rate a step, from a place
    that the seed chooses, and around. Times are seconds since the transfer began, rates bit/s.
    """

    def __init__(
        self, min_bps: float, max_bps: float, step_s: float, seed: int = 0, recorded_bps: Sequence[float] = ()
    ) -> None:
        self._min_bps, self._max_bps, self._step_s = min_bps, max_bps, step_s
        self._random = random.Random(seed)
        self._recorded_bps = recorded_bps
        self.offset = self._random.randrange(len(recorded_bps)) if recorded_bps else 0
        """At which of the recorded rates it begins."""
        self._rates_bps: list[float] = []
        self._bytes_before: list[float] = [0.0]

    def rate_bps(self, at_s: float) -> float:
        """The rate at a time."""
        step = int(max(0.0, at_s) / self._step_s)
        while len(self._rates_bps) <= step:
            self._draw()
        return self._rates_bps[step]

    def bytes_by(self, at_s: float) -> float:
        """How many bytes the link lets through until a time; none before the beginning."""
        if at_s <= 0:
            return 0.0
        rate_bps = self.rate_bps(at_s)
        step = int(at_s / self._step_s)
        return self._bytes_before[step] + (at_s - step * self._step_s) * rate_bps / 8

    def time_for(self, size_bytes: float) -> float:
        """When so many bytes have gone through: the inverse of :meth:`bytes_by`."""
        if size_bytes <= 0:
            return 0.0
        while self._bytes_before[-1] < size_bytes:
            self._draw()
        step = bisect_right(self._bytes_before, size_bytes) - 1
        rate_bps = self.rate_bps(step * self._step_s + self._step_s / 2)
        return step * self._step_s + (size_bytes - self._bytes_before[step]) * 8 / rate_bps

    def mean_bps(self, until_s: float) -> float:
        """The average rate from the beginning until a time."""
        return self.bytes_by(until_s) * 8 / until_s if until_s > 0 else self.rate_bps(0.0)

    def _draw(self) -> None:
        rate_bps = self._min_bps + (self._max_bps - self._min_bps) * self._random.random()
        if self._recorded_bps:
            rate_bps = self._recorded_bps[(self.offset + len(self._rates_bps)) % len(self._recorded_bps)]
        self._rates_bps.append(rate_bps)
        self._bytes_before.append(self._bytes_before[-1] + rate_bps * self._step_s / 8)
