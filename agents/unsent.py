"""Samples of sensors that are still to be sent: kept while a transfer is timed or no connection stands. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from harness.protocol.messages import Telemetry

MOST_VALUES = 400_000
"""So many values wait at most, half an hour of a board's; then the oldest go. They are in the task's energy already."""
VALUES_AT_ONCE = 2000
"""One message, 18 kB: a task that comes just then waits for its way over the link, and not for all that is left."""
EVERY_S = 1.0
"""One message in so long: a backlog goes several times as fast as it came, and a link is not filled with it."""

Row = tuple["float | None", ...]
Kind = tuple[str, tuple[str, ...]]
"""Source and fields."""


class Unsent:
    """Rows in the order in which they were read, each with what it is of."""

    def __init__(self) -> None:
        self._rows: deque[tuple[Kind, Row]] = deque()
        self._values = 0
        self._sent_s = float("-inf")
        self.lost_rows = 0
        """How many were given up."""

    def add(self, messages: Iterable[Telemetry]) -> None:
        """What was read."""
        for message in messages:
            for row in message.rows:
                self._rows.append(((message.source, message.fields), row))
                self._values += len(row)
        while self._values > MOST_VALUES:
            self._pop()
            self.lost_rows += 1

    def take(self, now_s: float, *, at_once: bool = False) -> Telemetry | None:
        """The oldest rows of one kind as a message, if one is due, or wanted ``at_once``; they count as sent."""
        if not self._rows or (not at_once and now_s - self._sent_s < EVERY_S):
            return None
        self._sent_s = now_s
        kind, rows = self._rows[0][0], [self._pop()]
        source, fields = kind
        most_rows = VALUES_AT_ONCE // len(fields)
        while self._rows and self._rows[0][0] == kind and len(rows) < most_rows:
            rows.append(self._pop())
        return Telemetry(source=source, fields=fields, rows=tuple(rows))

    def _pop(self) -> Row:
        row = self._rows.popleft()[1]
        self._values -= len(row)
        return row
