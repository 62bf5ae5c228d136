"""The page of the benchmarks, docs/performance.md, of what is kept. Pure: a book in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from textwrap import fill

from perf.base import Figure
from perf.store import Book, Measurement, Place

AGAIN = 'make perf ONLY="{letter}"'
WIDTH = 120
BROKE = "**broke at its last try**"
"""The verdict on figures that an older try left: whether they would be reached now, nobody knows."""
OPENING = """\
# Performance

What federa-bench itself takes, beside what it measures. `make perf` measures all of this and writes this page and
`docs/performance.json`, which has every value; nobody edits either. `make perf ONLY="a c"` measures some of it again
and keeps the rest, and `make perf QUICK=1` tries all of it in small, into `.perf/quick`.

How it is measured: each benchmark is a process of its own. What is compared is measured in turns within one run, every
second turn backwards, after turns that warm up and do not count, so that what else a machine does falls on both sides.
A ratio is one of two values of the same turn. Told are the median of all repetitions, and the lowest and the highest of
them. Limits are of medians. A limit that is missed has a profile below it that shows what takes the time."""


def page(book: Book, beside: Mapping[str, str]) -> str:
    """The whole page. ``beside``: other benchmarks that people run by hand, by file name, with what each is."""
    if not book.measurements and not book.broken:
        return f"{OPENING}\n\nNothing was measured yet.\n"
    parts = [OPENING]
    if any(one.quick for one in book.measurements):
        parts.append("**This is a quick try: small and once. None of these figures says how fast anything is.**")
    parts += ["## What must be reached", _limits(book), *(_section(one, book) for one in book.measurements)]
    unmeasured = set(book.broken) - {one.letter for one in book.measurements}
    parts += [f"## {letter}\n\n{_broken(book.broken[letter], '')}" for letter in sorted(unmeasured)]
    parts += ["## Where it was measured", _places(book)]
    if beside:
        parts += ["## Benchmarks beside these", _beside(beside)]
    return "\n\n".join(parts) + "\n"


def told(measurement: Measurement) -> list[str]:
    """A line for each figure, for a terminal."""
    lines = [f"{measurement.letter}: {measurement.title}"]
    for figure in measurement.result.figures:
        limit = f", {_limit(figure)}: {_verdict(figure)}" if figure.limited else ""
        lines.append(f"  {figure.name}: {_value(figure)} ({_spread(figure)}){limit}")
    return lines


def _limits(book: Book) -> str:
    rows = [
        f"| [{one.letter}](#{_anchor(_heading(one))}) | {_cell(figure.name)} | {_value(figure)} | {_spread(figure)} | "
        f"{_limit(figure)} | {BROKE if one.letter in book.broken else _verdict(figure)} |"
        for one in book.measurements
        for figure in one.result.figures
        if figure.limited
    ]
    return _table(["", "what", "median", "lowest to highest", "limit", "reached"], "l l r r r l", rows)


def _section(one: Measurement, book: Book) -> str:
    """A benchmark: what it measures, its figures, what to know, and the profile where a limit was missed."""
    rows = [
        f"| {_cell(figure.name)} | {_value(figure)} | {_spread(figure)} | {len(figure.values)} | "
        f"{_limit(figure) or '-'} |"
        for figure in one.result.figures
    ]
    parts = [
        f"## {_heading(one)}",
        _wrapped(one.what),
        _table(["figure", "median", "lowest to highest", "values", "limit"], "l r r r r", rows),
        _wrapped(one.result.remark),
        f"Again: `{AGAIN.format(letter=one.letter)}`. Measured {one.at} UTC in {_minutes(one.took_s)}, "
        f"{_counted(one.repetitions, 'repetition')} after {_counted(one.warm_ups, 'warm-up')}.",
        _broken(book.broken.get(one.letter, ""), "The figures above are older. "),
    ]
    if one.result.profile:
        parts.append(f"What takes the time:\n\n```text\n{one.result.profile.strip()}\n```")
    return "\n\n".join(part for part in parts if part)


def _broken(words: str, before: str) -> str:
    return f"**At its last try it broke.** {before}What it said: {words}" if words else ""


def _places(book: Book) -> str:
    """Each machine once, with the letters that were measured there."""
    of: dict[str, list[str]] = {}
    for one in book.measurements:
        of.setdefault(_place(one.place), []).append(f"{one.letter} (load {one.place.load:.1f})")
    said = "\n".join(f"- {', '.join(letters)}: {words}" for words, letters in of.items())
    return f"{said}\n\nThe load is that of the minute before a benchmark began, of all processes of the machine."


def _place(place: Place) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in place.packages.items() if version)
    if place.commit is None:
        at = "no commit"
    else:
        at = f"commit {place.commit[:12]}{' with changes' if place.changed else ''}"
    return (
        f"{place.cpu or 'unknown processor'}, {_counted(place.cores, 'core')}, {place.memory_bytes / 1e9:.0f} GB, "
        f"{place.platform}, Python {place.python}, {packages}; {at}"
    )


def _beside(beside: Mapping[str, str]) -> str:
    lines = [f"- `.venv/bin/python tests/benchmarks/{name}`: {words}" for name, words in beside.items()]
    return "Run by hand; each says in its first lines how, and nothing in them passes or fails.\n\n" + "\n".join(lines)


def _heading(one: Measurement) -> str:
    return f"{one.letter}. {one.title}"


def _anchor(heading: str) -> str:
    """As GitHub makes it: lower case, no punctuation, a hyphen for each space."""
    return "".join(mark for mark in heading.lower().replace(" ", "-") if mark.isalnum() or mark in "-_")


def _table(head: list[str], sides: str, rows: list[str]) -> str:
    marks = {"l": "---", "r": "---:"}
    lines = [f"| {' | '.join(head)} |", "|" + "|".join(marks[side] for side in sides.split()) + "|"]
    return "\n".join([*lines, *rows])


def _value(figure: Figure) -> str:
    return f"{_number(median(figure.values))}{_unit(figure)}"


def _spread(figure: Figure) -> str:
    low, high = figure.spread
    return f"{_number(low)} to {_number(high)}"


def _limit(figure: Figure) -> str:
    words = {"at most": figure.at_most, "at least": figure.at_least}
    return ", ".join(f"{word} {_number(limit)}{_unit(figure)}" for word, limit in words.items() if limit is not None)


def _verdict(figure: Figure) -> str:
    return "yes" if figure.reached else "**no**"


def _unit(figure: Figure) -> str:
    return f" {figure.unit}" if figure.unit else ""


def _number(value: float) -> str:
    """Four digits, and no power of ten where a person would write none."""
    if value == 0 or 1e-4 <= abs(value) < 1e7:
        places = 0 if abs(value) >= 1000 or value == int(value) else 3 if abs(value) >= 1 else 6
        short = f"{float(f'{value:.4g}'):,.{places}f}"
        return short.rstrip("0").rstrip(".") if "." in short else short
    return f"{value:.3g}"


def _wrapped(text: str) -> str:
    """The text's paragraphs in lines of a page's width; what has lines already, as a list has, keeps them."""
    parts = text.strip().split("\n\n")
    return "\n\n".join(
        part if "\n" in part else fill(part, WIDTH, break_long_words=False, break_on_hyphens=False) for part in parts
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.0f} s"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _cell(text: str) -> str:
    return text.replace("|", "/")
