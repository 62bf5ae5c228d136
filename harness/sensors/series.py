"""Rows of samples with one set of fields, in order of their stamps; columns out of a window. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any

import msgspec

from harness.sensors.fields import OFFLINE, UPTIME, rail_of
from harness.sensors.integral import Sample

Row = tuple[float | None, ...]
"""One value for each field; the first is the stamp, and never null."""

KEPT_ROWS = 72_000
"""Two hours at 10 Hz, some 40 MB. Of a window that began before them, energy is not known."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What a sampler reads: said before its first row, and again when one of ``facts`` changes.

    ``total`` are the rails that add up to ``total_w``, ``missing`` those of them without a sensor. Samples more than
    ``gap_s`` apart leave a gap. ``facts`` go into the header of the run: board, power mode, governor, clocks.
    """

    source: str
    fields: tuple[str, ...]
    total: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    gap_s: float = 0.5
    facts: dict[str, Any] = {}

    @property
    def rails(self) -> tuple[str, ...]:
        """The rails that have a field, in order of the fields."""
        return tuple(rail for field in self.fields if (rail := rail_of(field)) is not None)


class Series:
    """The rows of one layout. About :data:`KEPT_ROWS` of them: the oldest go."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._rows: list[Row] = []
        self._stamps: list[float] = []
        # Columns that never said anything, and those that never measured anything: nobody looks for it in all rows.
        self._silent, self._blank = set(range(len(layout.fields))), set(range(len(layout.fields)))

    @property
    def begin_s(self) -> float | None:
        """The stamp of the first row that is kept."""
        return self._stamps[0] if self._stamps else None

    def add(self, row: Row) -> bool:
        """One more row. False: it lacks a value for a field, or is not later than the last one, and is left out."""
        at_s = row[0] if row else None
        if at_s is None or len(row) != len(self.layout.fields) or (self._stamps and at_s <= self._stamps[-1]):
            return False
        self._rows.append(row)
        self._stamps.append(at_s)
        self._silent -= {column for column in self._silent if row[column] is not None}
        self._blank -= {column for column in self._blank if row[column] not in (None, OFFLINE)}
        if len(self._rows) > KEPT_ROWS * 5 // 4:
            del self._rows[:-KEPT_ROWS], self._stamps[:-KEPT_ROWS]
        return True

    def samples(self, from_s: float, until_s: float) -> list[Sample]:
        """The stamps (and a 0) of rows that hold a reading: of a rail, where there are rails. One on each side too.

        A row in which a service only says that it has nothing new is none.
        """
        fields = self.layout.fields
        read = [n for n, field in enumerate(fields) if rail_of(field)] or [
            n for n, field in enumerate(fields) if n and field != UPTIME
        ]
        return [(at_s, 0.0) for at_s, value in self._around(read, from_s, until_s) if value is not None]

    def raw(self, field: str, from_s: float, until_s: float) -> list[Sample]:
        """What was read of a field in a window, and just before and after it; what says "off" as well."""
        return self._around(self._column(field), from_s, until_s)

    def values(self, field: str, from_s: float, until_s: float) -> list[Sample]:
        """What was measured of a field in a window, and just before and after it."""
        return self._around(self._column(field), from_s, until_s, but=OFFLINE)

    def within(self, field: str, from_s: float, until_s: float) -> list[float]:
        """What was measured of a field in a window, both ends included."""
        return [value for at_s, value in self.values(field, from_s, until_s) if from_s <= at_s <= until_s]

    def _column(self, field: str) -> list[int]:
        return [n for n, name in enumerate(self.layout.fields) if name == field]

    def _around(self, columns: list[int], from_s: float, until_s: float, but: float | None = None) -> list[Sample]:
        """Readings of the first of these columns that has one, in the window, and the nearest one on either side."""
        without = self._silent if but is None else self._blank
        columns = [column for column in columns if column not in without]
        if not columns:
            return []
        first, last = bisect_left(self._stamps, from_s), bisect_right(self._stamps, until_s)
        before = self._readings(range(first - 1, -1, -1), columns, but)
        after = self._readings(range(last, len(self._rows)), columns, but)
        inside = self._readings(range(first, last), columns, but)
        return [*_one(before), *inside, *_one(after)]

    def _readings(self, numbers: Iterable[int], columns: list[int], but: float | None) -> Iterable[Sample]:
        rows, stamps = self._rows, self._stamps
        for number in numbers:
            for column in columns:
                value = rows[number][column]
                if value is not None and value != but:
                    yield stamps[number], value
                    break


def _one(samples: Iterable[Sample]) -> list[Sample]:
    """The first of them, if there is one."""
    return [sample for sample, _ in zip(samples, range(1), strict=False)]
