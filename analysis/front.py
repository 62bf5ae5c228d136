"""The summary on top of a report: what was reached, at what price, and what to know before reading on; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis import facts, summary
from analysis.caution import Caution, CautionGroup, grouped
from analysis.goals import goals_of
from analysis.load import Run
from analysis.methods import contenders

MOST_WARNINGS = 4
"""Kinds of warnings at the top; all of them, and the notes, have a section of their own."""


@dataclass(frozen=True)
class GoalPart:
    """What the summary says of one target; ``standings`` are of ``standings_of``."""

    headline: str
    price: str
    tiles: tuple[summary.Tile, ...]
    standings: tuple[summary.Standing, ...]
    standings_of: str


@dataclass(frozen=True)
class Front:
    """The summary. ``warnings`` are the most important ones, ``more`` counts the sentences that they leave out."""

    goals: tuple[GoalPart, ...]
    basis: tuple[str, ...]
    warnings: tuple[CautionGroup, ...]
    more: int


def front_of(runs: Sequence[Run], cautions: Sequence[Caution]) -> Front:
    """The summary of these runs, target by target; references are not ranked."""
    groups = grouped(cautions)
    ranked = contenders(runs)
    first = tuple(group for group in groups if group.level == "warning")[:MOST_WARNINGS]
    return Front(
        goals=tuple(_goal_part(ranked, place) for place in range(len(goals_of(ranked)))),
        basis=facts.basis(runs),
        warnings=first,
        more=sum(len(group.texts) for group in groups) - len(first),
    )


def _goal_part(runs: Sequence[Run], place: int) -> GoalPart:
    return GoalPart(
        headline=summary.headline(runs, place),
        price=summary.price(runs, place),
        tiles=summary.tiles(runs, place),
        standings=summary.standings(runs, place),
        standings_of=summary.standings_of(runs, place),
    )
