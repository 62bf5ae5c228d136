"""The table of faults as Markdown, and its place in a document. Pure: tries in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

BEGIN = "<!-- faults: begin -->"
END = "<!-- faults: end -->"
FAILED = "**These tests failed:**"
LATER = "Tried again since, by a part of the suite: "


@dataclass(frozen=True)
class Try:
    """One try of a fault: whether the run survived, and after how many seconds it went on (None: not measured).

    ``more_descriptors``, ``more_bytes``: what controller and agents held at its end above an undisturbed run's (the
    worst of them; None: no process to compare).
    """

    fault: str
    survived: bool
    recover_s: float | None = None
    more_descriptors: int | None = None
    more_bytes: int | None = None


@dataclass(frozen=True)
class Place:
    """Where a suite ran and how much of it, as far as a reader has to know."""

    processors: int
    python: str
    counts: str
    took_s: float


def table(tries: Sequence[Try]) -> str:
    """One row for each fault, in the order of first tries."""
    head = [
        "| fault | tries | survived | recovers in s: median | worst | more descriptors | more memory in MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*head, *(_row(fault, tries) for fault in dict.fromkeys(one.fault for one in tries))])


def section(tries: Sequence[Try], place: Place, skipped: Sequence[str], failed: Sequence[str]) -> str:
    """The table with what to know beside it: where it was written, what was not tried, which tests failed."""
    faults = len({one.fault for one in tries})
    words = [
        f"{len(tries)} tries of {faults} faults ({place.counts} counts) took {place.took_s / 60:.0f} minutes on a "
        f"machine with {place.processors} processors and Python {place.python}.",
        table(tries),
    ]
    if skipped:
        words.append("Not tried there:\n\n" + "\n".join(f"- {one}" for one in skipped))
    if failed:
        words.append(f"{FAILED}\n\n" + "\n".join(_failure(one) for one in failed))
    return "\n\n".join(words)


def renewed(document: str, tries: Sequence[Try], failed: Sequence[str], passed: Sequence[str]) -> str:
    """``document`` with the rows of these tries in place of those that stand there for the same faults.

    ``failed`` and ``passed`` are tests of now: those that passed are not told as failed any more. Below the table
    stands which rows are newer than it.

    Raises:
        ValueError: the document has no table.
    """
    before, _, rest = document.partition(BEGIN)
    text, end, after = rest.partition(END)
    if not end or "| fault |" not in text:
        raise ValueError("the document has no table of faults whose rows could be renewed: try the whole suite first")
    lines, fresh = text.strip().splitlines(), dict.fromkeys(one.fault for one in tries)
    rows = {fault: _row(fault, tries) for fault in fresh}
    names = {_fault_of(line): number for number, line in enumerate(lines) if line.startswith("| ")}
    for fault, row in rows.items():
        if (place := names.get(_cell(fault))) is not None:
            lines[place] = row
        else:
            lines.insert(max(names.values()) + 1, row)
    kept = [line for line in lines if not any(line == _failure(test) for test in passed)]
    kept = [line for line in kept if not line.startswith(LATER)]
    if FAILED in kept and not any(line.startswith("- `test_") for line in kept[kept.index(FAILED) :]):
        kept.remove(FAILED)
    earlier = [line.removeprefix(LATER).rstrip(".").split("; ") for line in lines if line.startswith(LATER)]
    later = [*dict.fromkeys([*(name for names_ in earlier for name in names_), *map(_cell, fresh)])]
    told = [_failure(test) for test in failed]
    words = "\n".join([*kept, *(["", FAILED, "", *told] if told else []), "", f"{LATER}{'; '.join(later)}."])
    return f"{before}{BEGIN}\n{_single_blanks(words)}\n{END}{after}"


def placed(document: str, text: str) -> str:
    """``document`` with ``text`` between the markers instead of what stands there.

    Raises:
        ValueError: the document does not have each marker once, in their order.
    """
    before, begin, rest = document.partition(BEGIN)
    between, end, after = rest.partition(END)
    if not begin or not end or BEGIN in between + after or END in before + after:
        raise ValueError(f"the document needs the lines {BEGIN} and {END}, once each and in this order")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _row(fault: str, tries: Sequence[Try]) -> str:
    of_it = [one for one in tries if one.fault == fault]
    survived = sum(one.survived for one in of_it)
    shown = str(survived) if survived == len(of_it) else f"**{survived}**"
    seconds = [one.recover_s for one in of_it if one.survived and one.recover_s is not None]
    middle, worst = (_seconds(median(seconds)), _seconds(max(seconds))) if seconds else ("-", "-")
    descriptors = [one.more_descriptors for one in of_it if one.more_descriptors is not None]
    more_bytes = [one.more_bytes for one in of_it if one.more_bytes is not None]
    growth = (f"{max(descriptors):+d}", f"{max(more_bytes) / 1e6:+.1f}") if descriptors else ("-", "-")
    return "| " + " | ".join([_cell(fault), str(len(of_it)), shown, middle, worst, *growth]) + " |"


def _cell(fault: str) -> str:
    return fault.replace("|", "/")


def _fault_of(row: str) -> str:
    return row.removeprefix("| ").partition(" | ")[0]


def _failure(test: str) -> str:
    return f"- `{test}`"


def _single_blanks(text: str) -> str:
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip()


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:.0f}"
