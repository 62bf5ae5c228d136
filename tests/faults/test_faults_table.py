"""The table of faults: what tries become, and where it stands in a document."""

from __future__ import annotations

import pytest
from table import BEGIN, END, Place, Try, placed, renewed, section, table

PLACE = Place(processors=2, python="3.11.7", counts="full", took_s=600.0)
TRIES = [
    Try("an agent is killed", True, 2.0, -1, 300_000),
    Try("a disk is full", True),
    Try("an agent is killed", True, 14.2, 2, 1),
]


def test_a_fault_is_a_row_in_the_order_of_its_first_try() -> None:
    assert table(TRIES).splitlines()[2:] == [
        "| an agent is killed | 2 | 2 | 8.10 | 14 | +2 | +0.3 |",
        "| a disk is full | 1 | 1 | - | - | - | - |",
    ]


def test_a_failed_try_is_shown_and_its_seconds_do_not_count() -> None:
    [row] = table([*TRIES[:1], Try("an agent is killed", False, 0.1)]).splitlines()[2:]
    assert row == "| an agent is killed | 2 | **1** | 2.00 | 2.00 | -1 | +0.3 |"


def test_what_was_not_tried_and_which_tests_failed_stand_below_the_table() -> None:
    text = section(TRIES, PLACE, ["`test_a`: needs root"], ["test_b.py: test_c"])
    assert text.startswith("3 tries of 2 faults (full counts) took 10 minutes on a machine with 2 processors")
    assert text.index("| a disk is full") < text.index("needs root") < text.index("test_b.py: test_c")


def test_the_section_takes_the_place_of_what_stood_between_the_markers() -> None:
    before = f"# Title\n\n{BEGIN}\nold\n{END}\n\nMore.\n"
    assert placed(before, "new") == f"# Title\n\n{BEGIN}\nnew\n{END}\n\nMore.\n"
    assert placed(placed(before, "new"), "newer") == placed(before, "newer")


@pytest.mark.parametrize("document", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_document_without_a_place_for_it_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        placed(document, "new")


def test_a_part_of_the_suite_renews_its_rows_and_says_which() -> None:
    text = section([*TRIES, Try("a wire", False)], PLACE, [], ["test_b.py: test_c", "test_d.py: test_e"])
    whole = placed(f"{BEGIN}\n{END}\n", text)
    once = renewed(whole, [Try("a wire", True, 3.0)], [], ["test_b.py: test_c"])
    assert "| a wire | 1 | 1 | 3.00 | 3.00 | - | - |" in once
    assert "| an agent is killed | 2 | 2 |" in once
    assert "test_b.py" not in once
    assert "test_d.py: test_e" in once
    twice = renewed(once, [Try("a disk is full", False)], ["test_f.py: test_g"], ["test_d.py: test_e"])
    assert "| a disk is full | 1 | **0** |" in twice
    assert "- `test_f.py: test_g`" in twice
    assert "Tried again since, by a part of the suite: a wire; a disk is full." in twice
    last = renewed(twice, [Try("a disk is full", True), Try("a new one", True)], [], ["test_f.py: test_g"])
    assert "These tests failed" not in last
    assert last.index("| a new one |") > last.index("| a wire |")


def test_rows_cannot_be_renewed_where_there_is_no_table() -> None:
    with pytest.raises(ValueError, match="try the whole suite first"):
        renewed(f"{BEGIN}\n{END}\n", TRIES, [], [])
