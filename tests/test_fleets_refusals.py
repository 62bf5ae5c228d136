"""Refusals are counted by kind; the log is told of the first of each."""

from __future__ import annotations

import logging

import pytest

from harness.fleets.refusals import Refusals


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
