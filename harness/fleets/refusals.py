"""What was refused, and why: counted by kind, and told in the log once of each kind, for more may be a flood."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Literal

log = logging.getLogger(__name__)

Kind = Literal["unreadable", "name", "key", "session"]
"""A message that cannot be read; another agent's name; another connection's key; a heartbeat of another session."""


class Refusals:
    """Refusals of one run, by kind."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()

    def note(self, kind: Kind, sentence: str) -> None:
        """Something was refused."""
        self.counts[kind] += 1
        if self.counts[kind] == 1:
            log.warning("%s (later ones are counted only)", sentence)
