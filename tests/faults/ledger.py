"""What a session of fault tests tried and saw, and the fixture ``faults`` that tests write it with."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from growth import Held
from table import Place, Try, placed, renewed, section

Counts = Literal["short", "full"]


@dataclass
class Attempt:
    """A try that is under way."""

    fault: str
    recover_s: float | None = None
    growth: Held | None = None

    def recovered(self, recover_s: float) -> None:
        """After the fault, or its end, the run went on after so many seconds."""
        self.recover_s = recover_s

    def grew(self, growth: Held) -> None:
        """The run's processes hold so much more than those of a run that nothing happened to."""
        self.growth = growth


@dataclass
class Faults:
    """How often to try each fault, and the tries so far."""

    counts: Counts
    began_s: float = field(default_factory=time.monotonic)
    noted: list[Try] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    partial: bool = False
    """Whether some of the suite was left out, or not come to."""

    def tries(self, short: int, full: int) -> int:
        """How often: ``short`` in every test run, ``full`` in ``make faults``."""
        return full if self.counts == "full" else short

    def note(self, noted: Try) -> None:
        """Note one try. A test that notes one that was not survived also fails, by an assertion of its own."""
        self.noted.append(noted)

    @contextmanager
    def trying(self, fault: str) -> Iterator[Attempt]:
        """One try: survived, unless the block ends in an exception, which goes on."""
        attempt = Attempt(fault)
        try:
            yield attempt
        except Exception:
            self.note(Try(fault, False))
            raise
        more = attempt.growth
        grown = (None, None) if more is None else (more.descriptors, more.own_bytes)
        self.note(Try(fault, True, attempt.recover_s, *grown))

    def write(self, document: Path) -> str:
        """Put the table into a document; returns what to tell about it.

        Raises:
            ValueError: the document has no place for it.
            OSError: it cannot be read or written.
        """
        if not self.noted or (self.partial and self.counts == "short"):
            return f"{document} keeps its table of faults: only a whole suite writes it"
        if self.partial:
            text = renewed(document.read_text(encoding="utf-8"), self.noted, self.failed, self.passed)
            document.write_text(text, encoding="utf-8")
            return f"{document} has new rows of what was tried"
        place = Place(os.cpu_count() or 1, platform.python_version(), self.counts, time.monotonic() - self.began_s)
        text = section(self.noted, place, self.skipped, self.failed)
        document.write_text(placed(document.read_text(encoding="utf-8"), text), encoding="utf-8")
        return f"{document} has a new table of faults"
