"""What an agent reports of its device, made fit to stand in a header: plain data of bounded depth and size. Pure."""

from __future__ import annotations

import math
from typing import Any

from harness.protocol.text import plain

DEEPEST = 8
MOST_ITEMS = 5_000
"""In all groups and lists of a report together; a report is below 64 KiB as it travels."""


class _UnfitError(Exception):
    """A report is too deep, too large, or has what is no plain data."""


def facts_of(report: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The report with all words as printable lines, and no fault; or nothing, and why, in words.

    A number that is none becomes null, as it does in JSON.
    """
    try:
        facts: dict[str, Any] = _Copy().of(report, 0)
    except _UnfitError as unfit:
        return {}, str(unfit)
    return facts, None


class _Copy:
    """Copies one report, and counts what is in it."""

    def __init__(self) -> None:
        self._items = 0

    def of(self, value: Any, depth: int) -> Any:
        self._items += 1
        if self._items > MOST_ITEMS or depth > DEEPEST:
            raise _UnfitError(f"it has more than {MOST_ITEMS} items, or is more than {DEEPEST} deep")
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if math.isfinite(value) else None
            case str():
                return plain(value)
            case list() | tuple():
                return [self.of(each, depth + 1) for each in value]
            case dict():
                return {_key(key): self.of(each, depth + 1) for key, each in value.items()}
        raise _UnfitError(f"it holds a {type(value).__name__}, which no record does")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return plain(key)
    if isinstance(key, int):
        return str(key)
    raise _UnfitError(f"it has a {type(key).__name__} as a name, which no record has")
