"""The controller's errands: clients wait for a round's state, and not for what is measured of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from harness.jobs import aggregating
from harness.learning.aggregation.base import Aggregation, Aside, Update
from harness.learning.evaluation import Evaluation
from harness.learning.outgoing import Outgoing
from harness.records import Drift, PrivacySpent
from harness.rounds.events import Aggregated

MEASURED_S = 1000.0


class Slow:
    """Says that it measured for long."""

    def aggregate(self, round: int, updates: Sequence[Update]) -> Aggregation:
        return Aggregation("a" * 64, None, MEASURED_S)

    def drift(self, round: int) -> Drift | None:
        return {"layer.0.query.A": (0.5, None)}

    def privacy(self, round: int) -> PrivacySpent | None:
        return None

    def outgoing(self, round: int, client: int) -> Outgoing:
        raise AssertionError("nobody trains here")

    def evaluate(self, round: int, clients: Sequence[int], progress: Callable[[float], None]) -> Evaluation:
        raise AssertionError("nobody evaluates here")


def test_what_is_measured_of_a_round_is_told_beside_what_it_took() -> None:
    before_s = time.monotonic()
    event = aggregating(Slow(), 3, [], record_drift=True)()
    took_s = time.monotonic() - before_s
    assert isinstance(event, Aggregated)
    assert event.drift == {"layer.0.query.A": (0.5, None)}
    assert event.aside_s >= MEASURED_S
    assert 0 <= event.aggregate_s + event.aside_s <= took_s


def test_a_stopwatch_goes_on_in_each_span() -> None:
    aside = Aside()
    with aside:
        first_s = time.monotonic()
        while time.monotonic() == first_s:
            continue
    once_s = aside.seconds
    with aside:
        second_s = time.monotonic()
        while time.monotonic() == second_s:
            continue
    assert 0 < once_s < aside.seconds


def test_nobody_who_trains_waits_until_the_last_state_is_on_the_disk() -> None:
    secured: list[float] = []

    def secure() -> None:
        first_s = time.monotonic()
        while time.monotonic() < first_s + 0.02:
            continue
        secured.append(time.monotonic())

    event = aggregating(Slow(), 3, [], record_drift=False, secure=secure)()
    assert isinstance(event, Aggregated)
    assert len(secured) == 1
    assert event.aside_s >= MEASURED_S + 0.02
