"""The ledger of tries: a try that ends in an exception counts as one that was not survived."""

from __future__ import annotations

from pathlib import Path

import pytest
from growth import Held
from ledger import Faults
from table import BEGIN, END, Try


def test_counts_are_short_unless_the_whole_suite_is_asked_for() -> None:
    assert [Faults("short").tries(2, 20), Faults("full").tries(2, 20)] == [2, 20]


def test_a_try_is_noted_as_it_ends() -> None:
    ledger = Faults("short")
    with ledger.trying("a kill") as attempt:
        attempt.recovered(2.5)
        attempt.grew(Held(1, 2000))
    with pytest.raises(AssertionError), ledger.trying("a kill"):
        raise AssertionError("the books are wrong")
    assert ledger.noted == [Try("a kill", True, 2.5, 1, 2000), Try("a kill", False)]


def test_a_test_that_is_skipped_in_a_try_leaves_no_try() -> None:
    ledger = Faults("short")
    with pytest.raises(pytest.skip.Exception), ledger.trying("a kill"):
        pytest.skip("needs root")
    assert ledger.noted == []


def test_a_part_of_the_suite_does_not_take_the_place_of_the_whole_one(tmp_path: Path) -> None:
    document = tmp_path / "reliability.md"
    document.write_text(f"{BEGIN}\nthe last table\n{END}\n")
    ledger = Faults("short")
    ledger.note(Try("a kill", True, 1.0, 0, -200_000))
    ledger.partial = True
    assert "keeps its table" in ledger.write(document)
    assert "the last table" in document.read_text()
    ledger.partial = False
    assert "new table" in ledger.write(document)
    assert "| a kill | 1 | 1 | 1.00 | 1.00 | +0 | -0.2 |" in document.read_text()
