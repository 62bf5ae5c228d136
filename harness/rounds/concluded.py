"""A round whose new state is there, while the next one is open already."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records import Late
from harness.rounds.events import Aggregated
from harness.rounds.round import Round


@dataclass(frozen=True)
class Concluded:
    """Its clients, its state, and the updates that came too late while it was open.

    Its state may still be evaluated; and a resume that finds the state lost goes back to it.
    """

    round: Round
    aggregated: Aggregated
    late: tuple[Late, ...]

    @property
    def number(self) -> int:
        """The round's number."""
        return self.round.number
