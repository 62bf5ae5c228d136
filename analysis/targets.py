"""When a run reached a fraction of its target: round, seconds on the benchmark clock, and bytes until then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.profiles import TargetProfile
from harness.records import RoundRecord

# Metrics are ratios of counts: they differ from each other by far more than this, sums of rounding errors by less.
RELATIVE_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Crossing:
    """The first evaluated round at or above ``threshold``; ``payload_bytes`` is all rounds up to it, both ways."""

    fraction: float
    threshold: float
    round: int
    elapsed_s: float
    payload_bytes: int


def reaches(metric: float, threshold: float) -> bool:
    """Whether a metric is at or above a threshold. 0.72 reaches 0.9 * 0.8, which floats make 0.7200000000000001."""
    return metric >= threshold or math.isclose(metric, threshold, rel_tol=RELATIVE_TOLERANCE)


def first_crossing(rounds: Sequence[RoundRecord], target: TargetProfile, fraction: float) -> Crossing | None:
    """The first evaluated round whose metric reaches ``fraction`` of the target; None if there is none.

    A later fall below the threshold changes nothing. Rounds that were not evaluated cannot cross, their bytes count.
    """
    threshold = fraction * target.value
    payload_bytes = 0
    for record in rounds:
        payload_bytes += record.download_bytes + record.upload_bytes
        metric = record.metrics.get(target.metric)
        if metric is not None and reaches(metric, threshold):
            return Crossing(fraction, threshold, record.round, record.elapsed_s, payload_bytes)
    return None


def best_metric(rounds: Sequence[RoundRecord], name: str) -> float | None:
    """The highest value of a metric over all evaluated rounds; None if it was never evaluated."""
    return max((record.metrics[name] for record in rounds if name in record.metrics), default=None)


def payload_bytes(rounds: Sequence[RoundRecord]) -> int:
    """Payload of all rounds, both ways."""
    return sum(record.download_bytes + record.upload_bytes for record in rounds)


def wire_bytes(rounds: Sequence[RoundRecord]) -> int | None:
    """Bytes of all frames of all rounds, both ways; None where a round's were not counted."""
    counted = [record.wire_bytes for record in rounds if record.wire_bytes is not None]
    return sum(counted) if len(counted) == len(rounds) else None
