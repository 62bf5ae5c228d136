"""The table of faults as Markdown, and its place in a document. Pure: tries in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

BEGIN = "<!-- faults: begin -->"
END = "<!-- faults: end -->"


@dataclass(frozen=True)
class Try:
    """One try of a fault: whether the run survived, and after how many seconds it went on (None: not measured)."""

    fault: str
    survived: bool
    recover_s: float | None = None


@dataclass(frozen=True)
class Place:
    """Where a suite ran and how much of it, as far as a reader has to know."""

    processors: int
    python: str
    counts: str
    took_s: float


def table(tries: Sequence[Try]) -> str:
    """One row for each fault, in the order of first tries."""
    head = ["| fault | tries | survived | recovers in s: median | worst |", "|---|---:|---:|---:|---:|"]
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
        words.append("**These tests failed:**\n\n" + "\n".join(f"- `{one}`" for one in failed))
    return "\n\n".join(words)


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
    return f"| {fault.replace('|', '/')} | {len(of_it)} | {shown} | {middle} | {worst} |"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:.0f}"
