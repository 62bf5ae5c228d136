"""Runs that differ by their seed alone belong together: a report names, ranks and draws them as one; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from analysis import stats
from analysis.load import Run


@dataclass(frozen=True)
class Group:
    """The runs of one method and one profile, by seed. ``places`` are theirs among all runs of the report."""

    label: str
    method: str
    runs: tuple[Run, ...]
    places: tuple[int, ...]


def groups_of(runs: Sequence[Run]) -> tuple[Group, ...]:
    """The runs by method and profile, in their order. Equal seeds of one profile are repetitions, as seeds are.

    A group is named by its method, and by what its profile has of its own where a method has several.
    """
    members: dict[tuple[str, bytes], list[int]] = {}
    for place, run in enumerate(runs):
        profile = {key: value for key, value in run.header.profile.items() if key != "seeds"}
        key = run.header.method, msgspec.json.encode(profile, order="deterministic")
        members.setdefault(key, []).append(place)
    firsts = [runs[places[0]] for places in members.values()]
    return tuple(
        Group(label=label, method=method, runs=tuple(runs[place] for place in places), places=tuple(places))
        for label, ((method, _), places) in zip(stats.labels(firsts, seeds=False), members.items(), strict=True)
    )


def seeds_shown(runs: Sequence[Run]) -> bool:
    """Whether any group has several runs, so that what a report says of a group is a median."""
    return any(len(group.runs) > 1 for group in groups_of(runs))
