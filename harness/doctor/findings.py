"""What the doctor says: a line for each thing it looked at, and the same as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

State = Literal["ok", "warn", "fail", "skipped"]
Value = str | float | int | bool | None
"""A figure or a word behind a finding, for programs."""

SCHEMA = 1
"""Of what ``--json`` prints: it grows when a field is renamed or leaves; new names of findings do not change it."""
MAX_TEXT_CHARS = 220
MAX_JSON_BYTES = 15 * 1024
"""Findings stand in the header of a run and in a message of the protocol: below 16 KiB with what is around them."""
WORSE: Sequence[State] = ("skipped", "ok", "warn", "fail")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is stable, in small letters; ``says`` what was found; ``do`` what to do, for all but "ok".

    "fail": a run cannot go well, or at all, before it is mended. "warn": it runs, and its figures may suffer.
    "skipped": there is no such thing here, or it could not be told. ``values`` are the figures, units as suffixes.
    """

    name: str
    state: State
    says: str
    do: str | None = None
    values: dict[str, Value] = {}


def ok(name: str, says: str, /, **values: Value) -> Finding:
    """Nothing to do."""
    return Finding(name=name, state="ok", says=says, values=values)


def warn(name: str, says: str, do: str, /, **values: Value) -> Finding:
    """It runs; figures may suffer."""
    return Finding(name=name, state="warn", says=says, do=do, values=values)


def fail(name: str, says: str, do: str, /, **values: Value) -> Finding:
    """To be mended first."""
    return Finding(name=name, state="fail", says=says, do=do, values=values)


def skipped(name: str, says: str, do: str | None = None) -> Finding:
    """Not here, or not to be told."""
    return Finding(name=name, state="skipped", says=says, do=do)


def worst(findings: Iterable[Finding]) -> State:
    """The worst state of all; "ok" is worse than "skipped"."""
    return max((finding.state for finding in findings), key=WORSE.index, default="skipped")


def as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Plain dictionaries with the keys of :class:`Finding`; together below :data:`MAX_JSON_BYTES` as JSON.

    Texts are cut at :data:`MAX_TEXT_CHARS` and plain ASCII: names of files, processes and interfaces are others' words.
    Where it would still be too long, ``values`` are left out from the end on, and then findings.
    """
    rows = [_plain_row(finding) for finding in findings]
    for row in reversed(rows):
        if _size_bytes(rows) <= MAX_JSON_BYTES:
            break
        row["values"] = {}
    while _size_bytes(rows) > MAX_JSON_BYTES:
        rows.pop()
    return rows


def _plain_row(finding: Finding) -> dict[str, Any]:
    values = {key: plain(value) if isinstance(value, str) else value for key, value in finding.values.items()}
    do = None if finding.do is None else plain(finding.do)
    return {"name": finding.name, "state": finding.state, "says": plain(finding.says), "do": do, "values": values}


def plain(text: str) -> str:
    """Text that a terminal and a report can show as it is: printable ASCII, cut at :data:`MAX_TEXT_CHARS`."""
    shown = "".join(letter if " " <= letter <= "~" else "?" for letter in " ".join(text.split()))
    return shown if len(shown) <= MAX_TEXT_CHARS else f"{shown[: MAX_TEXT_CHARS - 3]}..."


def _size_bytes(rows: list[dict[str, Any]]) -> int:
    return len(msgspec.json.encode(rows))
