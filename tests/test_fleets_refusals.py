"""Refusals are counted by kind; the log is told of the first of each."""

from __future__ import annotations

import logging

import pytest

from harness.fleets.refusals import TELL_EVERY_S, Refusals
from harness.rounds.events import MessagesRefused


def test_a_flood_of_refusals_is_no_flood_of_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    with caplog.at_level(logging.WARNING):
        for number in range(5):
            refusals.note("name", f"wrong name {number}")
        refusals.note("key", "wrong key")
    assert refusals.counts == {"name": 5, "key": 1}
    assert [record.getMessage() for record in caplog.records] == [
        "wrong name 0 (later ones are counted only)",
        "wrong key (later ones are counted only)",
    ]


def test_the_record_is_told_of_the_first_at_once_and_of_more_now_and_then() -> None:
    refusals = Refusals()
    assert refusals.news({}, 1.0) == []
    refusals.note("name", "wrong name")
    assert refusals.news({"rate": 2}, 1.0) == [MessagesRefused(at_s=1.0, counts={"name": 1, "rate": 2})]
    assert refusals.news({"rate": 3}, 1.5) == []
    assert refusals.news({"rate": 4}, 1.0 + TELL_EVERY_S)[0].counts == {"name": 1, "rate": 4}
    assert refusals.news({"rate": 4}, 99.0) == [], "nothing new"
