"""Runs that differ by their seed alone belong together: a report names, ranks and draws them as one; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from analysis import stats, units
from analysis.load import Run
from analysis.palette import variant_words


@dataclass(frozen=True)
class Group:
    """The runs of one method and one profile, by seed. ``places`` are theirs among all runs of the report.

    Where a method has several profiles ``setting`` is this one's label, else "". ``variant`` counts them: their lines
    have the method's colour, and markers of their own.
    """

    label: str
    method: str
    runs: tuple[Run, ...]
    places: tuple[int, ...]
    setting: str = ""
    variant: int = 0

    @property
    def meta(self) -> dict[str, str]:
        """What a trace of this group says of itself, for legends."""
        return {"method": self.method} | ({"setting": self.setting} if self.setting else {})


def groups_of(runs: Sequence[Run], but: Sequence[str] = ()) -> tuple[Group, ...]:
    """The runs by method and profile, in their order. Equal seeds of one profile are repetitions, as seeds are.

    ``but`` are keys of the profile, as ``partition.alpha``, in which the runs of a group may differ too.

    A group is named by its method, and by what its profile has of its own where a method has several.
    """
    members: dict[tuple[str, bytes], list[int]] = {}
    for place, run in enumerate(runs):
        profile = {key: value for key, value in run.settings.items() if not key.startswith("seeds.") and key not in but}
        key = run.header.method, msgspec.json.encode(profile, order="deterministic")
        members.setdefault(key, []).append(place)
    firsts = [runs[places[0]] for places in members.values()]
    methods = [method for method, _ in members]
    return tuple(
        Group(
            label=label,
            method=method,
            runs=tuple(runs[place] for place in places),
            places=tuple(places),
            setting=label if methods.count(method) > 1 else "",
            variant=methods[:at].count(method),
        )
        for at, (label, method, places) in enumerate(
            zip(stats.labels(firsts, seeds=False), methods, members.values(), strict=True)
        )
    )


def marks_words(groups: Sequence[Group]) -> str:
    """How marks tell the settings of a method apart, as a sentence; "" where each method has one alone."""
    of: dict[str, list[str]] = {}
    for group in groups:
        if group.setting:
            of.setdefault(variant_words(group.variant), []).append(group.setting)
    words = "; ".join(f"{words} for {units.listing(settings)}" for words, settings in of.items())
    return f"Marks: {words}." if words else ""


def seeds_shown(runs: Sequence[Run]) -> bool:
    """Whether any group has several runs, so that what a report says of a group is a median."""
    return any(len(group.runs) > 1 for group in groups_of(runs))
