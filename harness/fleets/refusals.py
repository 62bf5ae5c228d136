"""What was refused, and why: counted by kind, in the record now and then, in the log once of each kind: more may be a
flood.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from harness.rounds.events import MessagesRefused

log = logging.getLogger(__name__)

Kind = Literal["unreadable", "name", "key", "session", "claim", "telemetry", "device"]
"""A message that cannot be read; another agent's name; another connection's key; a heartbeat of another session. Of a
message that counts: energy or moments that cannot be true, samples or a device's report that cannot be kept.
"""
TELL_EVERY_S = 10.0
"""So often at most the record is told."""


class Refusals:
    """Refusals of one run, by kind."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self._told: dict[str, int] = {}
        self._told_s = float("-inf")

    def note(self, kind: Kind, sentence: str) -> None:
        """Something was refused."""
        self.counts[kind] += 1
        if self.counts[kind] == 1:
            log.warning("%s (later ones are counted only)", sentence)

    def news(self, unread: Mapping[str, int], now_s: float) -> list[MessagesRefused]:
        """What the record is to be told, if anything: all counts so far. ``unread`` are the server's own."""
        if now_s - self._told_s < TELL_EVERY_S or not (unread or self.counts):
            return []
        counts = dict[str, int](sorted((*unread.items(), *self.counts.items())))
        if counts == self._told:
            return []
        self._told, self._told_s = counts, now_s
        return [MessagesRefused(at_s=now_s, counts=counts)]
