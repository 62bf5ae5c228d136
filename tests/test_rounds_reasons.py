"""Every reason is one sentence that says what happened and what to do."""

from __future__ import annotations

import pytest

from harness.records import Failure
from harness.rounds import reasons

FAILURES = [Failure(client=client, agent="a", reason=why) for client, why in enumerate(["cold", "hot", "hot"])]


@pytest.mark.parametrize(
    "reason",
    [
        reasons.agents_left(30.0),
        reasons.agents_gone(3, 30.0),
        reasons.too_late(3, 1, 4, 2, 60.0, 2),
        reasons.too_many_failed(3, 1, 4, 2, FAILURES),
    ],
)
def test_the_end_of_a_run_names_the_command_that_takes_it_up(reason: str) -> None:
    assert "`federa-bench resume`" in reason
    assert "\n" not in reason


@pytest.mark.parametrize(("awaited", "words"), [(1, "1 agent was awaited"), (2, "2 agents were awaited")])
def test_nobody_came(awaited: int, words: str) -> None:
    assert f"{words} for 30 s; start them with `federa-bench agent" in reasons.no_agents(awaited, 30.0)


def test_a_deadline_given_once_is_not_counted() -> None:
    assert "by its deadline (60 s passed)" in reasons.too_late(3, 1, 4, 2, 60.0, 1)
    assert "by its deadline (60 s, given 4 times, passed)" in reasons.too_late(3, 1, 4, 2, 60.0, 4)


def test_failures_are_counted_by_their_reason_the_most_frequent_first() -> None:
    assert "the others failed: hot (2 x); cold (1 x); mend" in reasons.too_many_failed(3, 1, 4, 2, FAILURES)


def test_half_a_second_is_said_as_such() -> None:
    assert reasons.deadline_passed(0.5) == "deadline of 0.5 s passed"
