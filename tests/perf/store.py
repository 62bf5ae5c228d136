"""What was measured, with every value and where, as one JSON file: a letter that is measured again replaces its own."""

from __future__ import annotations

from pathlib import Path

import msgspec
from perf.base import Result

from harness import environment


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The machine and the versions that something was measured on; ``load`` is that of the minute before."""

    cpu: str | None
    cores: int
    memory_bytes: int
    platform: str
    python: str
    packages: dict[str, str | None]
    commit: str | None
    changed: bool | None
    load: float

    @classmethod
    def here(cls) -> Place:
        """This machine, now."""
        facts = environment.describe()
        return cls(
            **{name: facts[name] for name in ("cpu", "cores", "memory_bytes", "platform", "python", "packages")},
            commit=facts["git_commit"],
            changed=facts["git_dirty"],
            load=facts["load_average_1m"],
        )


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark, measured once: ``at`` is a date and time in UTC, ``peak_bytes`` the most its process held."""

    letter: str
    title: str
    what: str
    result: Result
    at: str
    took_s: float
    repetitions: int
    warm_ups: int
    quick: bool
    peak_bytes: int
    place: Place


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept. ``broken``: by letter, what a benchmark that could not be measured at its last try said."""

    measurements: tuple[Measurement, ...] = ()
    broken: dict[str, str] = {}

    def with_(self, measurement: Measurement) -> Book:
        """The book with this one in place of an earlier one of its letter, by letter."""
        others = [one for one in self.measurements if one.letter != measurement.letter]
        kept = sorted([*others, measurement], key=lambda one: one.letter)
        broken = {letter: words for letter, words in self.broken.items() if letter != measurement.letter}
        return Book(measurements=tuple(kept), broken=broken)

    def with_broken(self, letter: str, words: str) -> Book:
        """The book with what a failed try said; what was measured before stays."""
        return msgspec.structs.replace(self, broken=dict(sorted({**self.broken, letter: words}.items())))


def read(path: Path) -> Book:
    """The book of a file; an empty one where there is no file.

    Raises:
        msgspec.DecodeError: it is another kind of file.
    """
    return msgspec.json.decode(path.read_bytes(), type=Book) if path.exists() else Book()


def write(book: Book, path: Path) -> None:
    """Write the book, a line for each entry, so that a change shows which."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(book), indent=1) + b"\n")
