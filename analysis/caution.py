"""One sentence that a reader must know before trusting a number; and how such sentences are put together; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis import units

MOST_NAMED = 8

IMPORTANCE = (
    "left out",
    "clocks",
    "personal models",
    "epsilon",
    "stand-in",
    "profiles",
    "unfinished",
    "failed clients",
    "over-selection",
    "late updates",
    "repeated clients",
    "broken connections",
    "standstill",
    "throttling",
    "power modes",
    "shared energy",
    "sensors",
    "not reached",
)
"""Kinds of cautions by what they forbid; the rest follows as it was found."""

Level = Literal["warning", "note"]


@dataclass(frozen=True)
class Caution:
    """One sentence. A ``note`` explains a number, a ``warning`` limits what can be read from it."""

    kind: str
    text: str
    level: Level = "warning"


@dataclass(frozen=True)
class CautionGroup:
    """Cautions of one kind, in the order of the runs: the first speaks for all where there is little room."""

    kind: str
    level: Level
    texts: tuple[str, ...]


def grouped(found: Sequence[Caution]) -> tuple[CautionGroup, ...]:
    """Cautions by kind: warnings first, and first what forbids a comparison (:data:`IMPORTANCE`)."""
    kinds = dict.fromkeys((caution.level, caution.kind) for caution in found)
    groups = [
        CautionGroup(kind, level, tuple(each.text for each in found if (each.level, each.kind) == (level, kind)))
        for level, kind in kinds
    ]
    known = {kind: place for place, kind in enumerate(IMPORTANCE)}
    return tuple(sorted(groups, key=lambda group: (group.level == "note", known.get(group.kind, len(known)))))


def counted_reasons(reasons: Iterable[str]) -> str:
    """Reasons with how often each was given, the most frequent first: "lost (2); out of memory (1)"."""
    counts = Counter(unstopped(reason) for reason in reasons).most_common()
    told = "; ".join(f"{reason} ({units.count(times)})" for reason, times in counts[:MOST_NAMED])
    return f"{told}; and {len(counts) - MOST_NAMED} other reasons" if len(counts) > MOST_NAMED else told


def named(words: Sequence[str]) -> str:
    """A sentence's list of at most a few words."""
    if len(words) <= MOST_NAMED:
        return units.listing(words)
    return f"{', '.join(words[:MOST_NAMED])} and {len(words) - MOST_NAMED} more"


def unstopped(text: str) -> str:
    """A sentence of somebody else, to be part of one."""
    return text.strip().rstrip(".")
