"""A line of ``events.jsonl`` as the analysis reads it: when what happened to whom; pure data.

:mod:`harness.rounds.events` is what writes it. Kinds and keys that are not known here are passed over, so that a run of
a newer version can still be drawn.
"""

from __future__ import annotations

import msgspec


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """Whose update was received: the part of its record that names it."""

    round: int
    client: int
    agent: str
    attempt: int = 1


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event. ``at_s`` is the run's clock; what a kind of event does not have is null or empty."""

    event: str
    at_s: float
    agent: str = ""
    host: str = ""
    reason: str = ""
    round: int | None = None
    client: int | None = None
    attempt: int | None = None
    provision_s: float | None = None
    ship_s: float | None = None
    svd_s: float | None = None
    aggregate_s: float | None = None
    evaluate_s: float | None = None
    metrics: dict[str, float] = {}
    record: Trained | None = None
