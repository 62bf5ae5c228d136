"""Samples that an agent sends, before anybody keeps them: what they must look like, and how many may come. Pure."""

from __future__ import annotations

from harness.protocol.messages import Telemetry
from harness.protocol.text import plain

FIRST_FIELD = "at_s"
OWN_COLUMNS = ("agent", "source", "run_s")
"""Columns of the table of all samples, which no field may be called."""
MOST_FIELDS = 200
"""Of one agent, over all of its sources: columns of the table."""
LATEST_S = 2.0**53
"""No clock of seconds has run for so long."""
MOST_VALUES = 100
"""Of one sample, as a message allows; and there may be two sources."""
BURST_S = 600.0
"""An agent whose connection was away for so long has as much to send at once."""


def fault_of(message: Telemetry) -> str | None:
    """Why these samples cannot be kept, in words; None if they can."""
    fields = message.fields
    if not all(name and plain(name) == name for name in (message.source, *fields)):
        return "their source or a field has a name that nobody could read"
    if fields[0] != FIRST_FIELD or len(set(fields)) < len(fields) or set(fields) & set(OWN_COLUMNS):
        return f"their first field must be {FIRST_FIELD}, and each field another"
    if any(len(row) != len(fields) for row in message.rows):
        return "a row has not as many values as there are fields"
    if not all(_is_moment(row[0]) for row in message.rows):
        return f"{FIRST_FIELD} of a row is no moment of a clock"
    return None


def _is_moment(value: float | None) -> bool:
    return value is not None and 0 <= value <= LATEST_S


class Allowance:
    """How many values one agent may still send, at ``hz`` samples a second: an honest one never finds the end of it."""

    def __init__(self, hz: float, now_s: float) -> None:
        self._per_s = 2 * hz * MOST_VALUES
        self._level = self._per_s * BURST_S
        self._filled_s = now_s
        self._fields: set[str] = set()

    def take(self, message: Telemetry, now_s: float) -> str | None:
        """Count a message; why it is too much, in words, None where it is not."""
        if not self._per_s:
            return "nobody asked for them"
        self._level = min(self._per_s * BURST_S, self._level + self._per_s * (now_s - self._filled_s))
        self._filled_s = now_s
        values = len(message.fields) * max(1, len(message.rows))
        if values > self._level:
            return "they are more than its sensors can have given"
        fields = self._fields.union(message.fields)
        if len(fields) > MOST_FIELDS:
            return f"they have more than {MOST_FIELDS} fields by now"
        self._level -= values
        self._fields = fields
        return None
