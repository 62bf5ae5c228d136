"""A report of a device, as it may stand in a header."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fleets.device_facts import MOST_ITEMS, facts_of


def test_plain_data_is_kept_as_it_is() -> None:
    report = {"device": {"model": "Orin", "cores": 12, "modes": [1, 2.5, None, True]}, "doctor": [{"says": "ok"}]}
    assert facts_of(report) == (report, None)


def test_what_json_or_a_terminal_would_stumble_over_is_made_fit() -> None:
    report = {"device": {"heat": math.nan, "model": "red\x1b[31m\nOrin", 30: ("W", math.inf)}}
    facts, _ = facts_of(report)
    assert facts == {"device": {"heat": None, "model": "red [31m Orin", "30": ["W", None]}}


def deep(levels: int) -> dict[str, Any]:
    return {"more": deep(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (deep(9), "more than 8 deep"),
        ({"list": [0] * MOST_ITEMS}, "more than 5000 items"),
        ({"raw": b"bytes"}, "a bytes, which no record does"),
        ({"map": {b"key": 1}}, "a bytes as a name"),
    ],
)
def test_what_is_no_plain_data_is_dropped_whole(report: dict[str, Any], words: str) -> None:
    facts, fault = facts_of(report)
    assert facts == {}
    assert words in str(fault)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner),
)


@given(st.dictionaries(st.text(), ANYTHING))
def test_whatever_is_kept_can_be_written_and_read(report: dict[str, Any]) -> None:
    facts, _ = facts_of(report)
    assert msgspec.json.decode(msgspec.json.encode(facts)) == facts
