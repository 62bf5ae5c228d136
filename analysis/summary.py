"""What a report says first: who reached what, when, and at what price; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis import units
from analysis.goals import goal_of
from analysis.load import Run
from analysis.ranking import Ranked, highest_reached, ranking, times_as_fast

MOST_NAMED = 4
"""Of those that a sentence compares with."""


@dataclass(frozen=True)
class Tile:
    """The fastest to one fraction, in words; ``time`` is "-" where nobody reached it."""

    fraction: str
    time: str
    who: str
    method: str
    detail: str
    against: str = ""


@dataclass(frozen=True)
class Standing:
    """One line of the ranking at the highest fraction that was reached; ``share`` is its bar, 1 the longest."""

    label: str
    method: str
    time: str
    share: float
    behind: str
    detail: str
    payload: str
    energy: str


def headline(runs: Sequence[Run], place: int = 0) -> str:
    """Who reached the highest fraction that anyone reached, how many times as fast as the others, and who did not."""
    goal = goal_of(runs, place)
    fraction = highest_reached(runs, place)
    if fraction is None:
        return _nobody(runs, place)
    found = ranking(runs, place, fraction)
    reached = [each for each in found if each.time_s is not None]
    clock = units.legible_time_unit(each.time_s for each in reached)
    alone = len(found) == 1
    some = [each for each in found if each.time_s is None and each.reached]
    word = "" if alone else " first," if len(reached) > 1 or some else " alone,"
    start = f"{reached[0].label} reached {units.percent(fraction)} of {goal.words}{word}"
    text = f"{start} after {clock.text(reached[0].time_s)}, {_when(reached[0])}"
    if len(reached) > 1:
        text += _compared(runs, reached, clock)
    missed = [each.label for each in found if each.reached == 0]
    text += f". {units.listing(f'{e.label} did in {e.reached} of {e.runs} runs' for e in some)}" if some else ""
    return f"{text}. {units.listing(missed)} did not reach it." if missed else f"{text}."


def price(runs: Sequence[Run], place: int = 0) -> str:
    """What it cost until then: bytes of all clients, and joules where they were recorded.

    "" where nobody got there, or nothing travelled.
    """
    fraction = highest_reached(runs, place)
    if fraction is None:
        return ""
    reached = [each for each in ranking(runs, place, fraction) if each.time_s is not None]
    bytes_words = _cost(reached, [each.payload_bytes for each in reached], units.byte_unit)
    if any(each.payload_bytes is None for each in reached):
        return ""
    text = f"Until then {reached[0].label}'s clients received and sent {bytes_words}"
    joules = [each.energy_j for each in reached]
    if all(value is not None for value in joules):
        text += f", and spent {_cost(reached, joules, units.energy_unit)}"
    return f"{text}."


def tiles(runs: Sequence[Run], place: int = 0) -> tuple[Tile, ...]:
    """One tile for each fraction of a target; none of runs that trained nothing."""
    if _is_null(runs):
        return ()
    return tuple(_tile(runs, place, fraction) for fraction in goal_of(runs, place).fractions)


def standings(runs: Sequence[Run], place: int = 0) -> tuple[Standing, ...]:
    """Everyone, fastest first, at the highest fraction that anyone reached; nobody where none was, or one alone ran."""
    fraction = highest_reached(runs, place)
    if fraction is None or len(found := ranking(runs, place, fraction)) == 1:
        return ()
    clock = units.legible_time_unit(each.time_s for each in found)
    longest_s = max(each.time_s for each in found if each.time_s is not None)
    comparable = _comparable(runs)
    return tuple(
        Standing(
            label=each.label,
            method=each.method,
            time=clock.text(each.time_s, units.NOT_REACHED),
            share=(each.time_s or 0.0) / longest_s if longest_s else 0.0,
            behind=_behind(found[0], each, comparable),
            detail=_got_there(each),
            payload=units.byte_unit([each.payload_bytes]).text(each.payload_bytes, ""),
            energy=units.energy_unit([each.energy_j]).text(each.energy_j, ""),
        )
        for each in found
    )


def standings_of(runs: Sequence[Run], place: int = 0) -> str:
    """What :func:`standings` are of: "99 % of accuracy 0.8"; "" where nobody got anywhere."""
    fraction = highest_reached(runs, place)
    return "" if fraction is None else f"{units.percent(fraction)} of {goal_of(runs, place).words}"


def _nobody(runs: Sequence[Run], place: int) -> str:
    """That nobody reached the lowest fraction; over seeds, where it was fewer than half of the runs, how many did."""
    goal = goal_of(runs, place)
    if _is_null(goal.runs):
        return "Nothing was trained: the null trainer measures the harness itself."
    words = f"{units.percent(goal.fractions[0])} of {goal.words}"
    some = [each for each in ranking(runs, place, goal.fractions[0]) if each.reached]
    if some:
        counts = units.listing(f"{each.reached} of {units.counted(each.runs, 'run')} of {each.label}" for each in some)
        return f"No method reached {words} in more than half of its runs: {counts} did."
    if len(goal.runs) == 1:
        return f"{goal.labels[0]} did not reach {words}."
    return f"None of {units.counted(len(goal.runs), 'run')} reached {words}."


def _is_null(runs: Sequence[Run]) -> bool:
    """Whether all of the runs used the null trainer, which reaches no target."""
    return all(run.experiment.train.trainer == "null" for run in runs)


def _when(ranked: Ranked) -> str:
    if ranked.runs > 1:
        return f"the median of {units.counted(ranked.runs, 'run')}"
    return f"in round {units.count(int(ranked.round or 0))}"


def _comparable(runs: Sequence[Run]) -> bool:
    """Whether seconds of these runs can be divided by each other: they are of one clock."""
    return len({run.header.clock for run in runs}) == 1


def _compared(runs: Sequence[Run], reached: Sequence[Ranked], clock: units.Unit) -> str:
    """The others' times, with how many times as fast the first was where one clock timed them all."""
    first, others = reached[0], reached[1 : 1 + MOST_NAMED]
    words = []
    for other in others:
        ratio = times_as_fast(first, other) if _comparable(runs) else None
        factor = f"{_lead(ratio)} " if ratio else ""
        words.append(f"{factor}{other.label} ({clock.text(other.time_s)})")
    left = len(reached) - 1 - len(others)
    words += [f"{units.counted(left, 'other')} later"] if left else []
    return f": {units.listing(words)}" if _comparable(runs) else f"; then {units.listing(words)}"


def _cost(reached: Sequence[Ranked], values: Sequence[float | None], unit_of: Any) -> str:
    """The first one's cost, and where the others' lie: "12.3 MB (the others 24.5 MB to 2.91 GB)"."""
    first, *others = (value or 0.0 for value in values)
    words: str = unit_of([first]).text(first)
    if not others:
        return words
    least, most = (unit_of([value]).text(value) for value in (min(others), max(others)))
    if len(others) == 1:
        return f"{words} ({reached[1].label}'s {least})"
    return f"{words} (the others' {least})" if least == most else f"{words} (the others' {least} to {most})"


def _is_equal(ratio: float) -> bool:
    """Whether a speed-up is one as far as it is shown."""
    return ratio < 1.005


def _lead(ratio: float) -> str:
    """How the first compares with another, before that one's name."""
    return "as fast as" if _is_equal(ratio) else f"{_factor(ratio)} times as fast as"


def _factor(ratio: float) -> str:
    """A speed-up: two digits are what the noise of a run leaves; just above one keeps a second decimal."""
    return f"{ratio:.2f}" if ratio < 1.1 else f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"


def _behind(first: Ranked, each: Ranked, comparable: bool) -> str:
    if each.time_s is None:
        return "not reached"
    if each is first:
        return "fastest"
    ratio = times_as_fast(first, each) if comparable else None
    if ratio is None:
        return "later"
    return "the same time" if _is_equal(ratio) else f"{_factor(ratio)} \N{MULTIPLICATION SIGN} the time"


def _got_there(each: Ranked) -> str:
    """Where it happened: the round, and over seeds how many runs took part in it."""
    if each.time_s is None:
        got = f"{each.reached} of {each.runs} runs, " if each.runs > 1 else ""
        return f"{got}best {units.metric(each.best)}"
    if each.runs == 1:
        return f"round {units.count(int(each.round or 0))}"
    return f"round {each.round or 0:g}, {each.reached} of {each.runs} runs"


def _tile(runs: Sequence[Run], place: int, fraction: float) -> Tile:
    words = f"{units.percent(fraction)} of {goal_of(runs, place).words}"
    found = ranking(runs, place, fraction)
    first = found[0]
    if first.time_s is None:
        return Tile(words, units.NOT_REACHED, "not reached", "", "")
    time = units.time_unit([first.time_s]).text(first.time_s)
    cost = [] if first.payload_bytes is None else [units.byte_unit([first.payload_bytes]).text(first.payload_bytes)]
    cost += [] if first.energy_j is None else [units.energy_unit([first.energy_j]).text(first.energy_j)]
    detail = " \N{MIDDLE DOT} ".join([_got_there(first), *cost])
    return Tile(words, time, first.label, first.method, detail, _against(runs, found))


def _against(runs: Sequence[Run], found: Sequence[Ranked]) -> str:
    """How the fastest compares with the next, and how many got there at all."""
    if len(found) == 1:
        return ""
    there = sum(each.time_s is not None for each in found)
    ratio = times_as_fast(found[0], found[1]) if _comparable(runs) else None
    got = f"{there} of {len(found)} got there"
    return f"{_lead(ratio)} {found[1].label}; {got}" if ratio else got
