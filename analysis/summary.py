"""What a report says first: who reached what, and when; and what the runs are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from analysis import stats, units
from analysis.goals import Goal, goal_of
from analysis.load import Run
from analysis.targets import Crossing


@dataclass(frozen=True)
class Tile:
    """The fastest run to one fraction, in words; ``time`` is "-" where no run reached it."""

    fraction: str
    time: str
    who: str
    method: str
    detail: str


def headline(runs: Sequence[Run], place: int = 0) -> str:
    """One sentence about the highest fraction of a target that any run reached, fastest first."""
    goal = goal_of(runs, place)
    for fraction in reversed(goal.fractions):
        reached = _fastest_first(goal, fraction)
        if reached:
            return _reached_words(goal, fraction, reached)
    lowest = units.percent(goal.fractions[0])
    who = goal.labels[0] if len(goal.runs) == 1 else f"None of {units.counted(len(goal.runs), 'run')}"
    return f"{who} {'did not reach' if len(goal.runs) == 1 else 'reached'} {lowest} of {goal.words}."


def tiles(runs: Sequence[Run], place: int = 0) -> tuple[Tile, ...]:
    """One tile for each fraction of a target."""
    goal = goal_of(runs, place)
    return tuple(_tile(goal, fraction) for fraction in goal.fractions)


@dataclass(frozen=True)
class Setting:
    """One key and its value; where runs differ, ``values`` has one "run: value" for each."""

    key: str
    values: tuple[str, ...]
    differs: bool


def settings(runs: Sequence[Run], trees: Sequence[Mapping[str, Any]]) -> tuple[Setting, ...]:
    """The leaves of nested mappings, one for each run, side by side where they differ."""
    flats = [stats.flatten(tree) for tree in trees]
    differing = set(stats.differing_keys(trees))
    found = []
    for key in dict.fromkeys(key for flat in flats for key in flat):
        if key in differing:
            values = [f"{label}: {_word(flat.get(key))}" for label, flat in zip(stats.labels(runs), flats, strict=True)]
            found.append(Setting(key, tuple(values), True))
        else:
            found.append(Setting(key, (_word(flats[0][key]),), False))
    return tuple(found)


def _fastest_first(goal: Goal, fraction: float) -> list[tuple[str, Run, Crossing]]:
    found = [
        (label, run, crossing)
        for label, run, (crossing,) in zip(goal.labels, goal.runs, goal.crossings([fraction]), strict=True)
        if crossing
    ]
    return sorted(found, key=lambda entry: entry[2].elapsed_s)


def _reached_words(goal: Goal, fraction: float, reached: Sequence[tuple[str, Run, Crossing]]) -> str:
    clock = units.time_unit(crossing.elapsed_s for _, _, crossing in reached)
    label, _, crossing = reached[0]
    first = f"after {clock.text(crossing.elapsed_s)}, in round {crossing.round}"
    start = f"{label} reached {units.percent(fraction)} of {goal.words}"
    if len(goal.runs) == 1:
        return f"{start} {first}."
    later = [f"{name} after {clock.text(c.elapsed_s)}" for name, _, c in reached[1:]]
    names = {name for name, _, _ in reached}
    missed = [name for name in goal.labels if name not in names]
    parts = [f"{start} {'first, ' if later else 'alone, '}{first}"]
    parts += [units.listing(later)] if later else []
    parts += [f"{units.listing(missed)} did not reach it"] if missed else []
    return "; ".join(parts) + "."


def _tile(goal: Goal, fraction: float) -> Tile:
    words = f"{units.percent(fraction)} of {goal.words}"
    reached = _fastest_first(goal, fraction)
    if not reached:
        return Tile(words, units.NOT_REACHED, "not reached", "", "")
    label, run, crossing = reached[0]
    clock = units.time_unit([crossing.elapsed_s])
    detail = f"round {crossing.round}"
    if len(goal.runs) > 1:
        detail += f" · {len(reached)} of {len(goal.runs)} runs got there"
    return Tile(words, clock.text(crossing.elapsed_s), label, run.header.method, detail)


def _word(value: Any) -> str:
    """A setting's value as text; what is not a plain word or number as JSON."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
