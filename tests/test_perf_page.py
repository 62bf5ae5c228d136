"""docs/performance.md: what of the kept measurements stands where."""

from __future__ import annotations

import msgspec
from perf.page import page, told
from perf.store import Book
from perf_books import PLACE, figure, measurement

MISSED = figure("share of a round", 0.02, 0.04, 0.03, unit="%", at_most=0.01)
REACHED = figure("bandwidth | of a copy", 0.5, unit="", at_least=0.4)


def test_the_first_table_has_what_must_be_reached_and_nothing_else() -> None:
    text = page(Book(measurements=(measurement("b", MISSED, figure("raw")), measurement("d", REACHED))), {})
    table = text.split("## What must be reached")[1].split("\n## ")[0]
    assert "| share of a round | 0.03 % | 0.02 to 0.04 | at most 0.01 % | **no** |" in table
    assert "| bandwidth / of a copy | 0.5 | 0.5 to 0.5 | at least 0.4 | yes |" in table
    assert "raw" not in table
    assert "[b](#b-the-title-of-b)" in table


def test_a_section_has_every_figure_how_to_repeat_it_and_when_it_was_measured() -> None:
    text = page(Book(measurements=(measurement("b", figure("raw"), remark="Know this.", profile="  slow()\n"),)), {})
    section = text.split("## b. The title of b")[1].split("\n## ")[0]
    assert "| raw | 2 s | 1 to 3 | 3 | - |" in section
    assert 'Again: `make perf ONLY="b"`. Measured 2026-01-02 03:04 UTC in 1.5 minutes, 5 repetitions' in section
    assert "What it measures." in section
    assert "Know this." in section
    assert "```text\nslow()\n```" in section


def test_long_words_are_wrapped_and_lists_keep_their_lines() -> None:
    text = page(Book(measurements=(measurement("b", remark=f"{'word ' * 40}\n\n- one\n- two"),)), {})
    assert max(len(line) for line in text.split("## b.")[1].split("## Where")[0].splitlines()) <= 120
    assert "\n\n- one\n- two\n\n" in text


def test_a_machine_stands_once_with_the_letters_measured_there() -> None:
    elsewhere = msgspec.structs.replace(PLACE, cpu="Another", commit=None, load=1.0)
    made = (measurement("a"), measurement("b", place=elsewhere), measurement("c"))
    text = page(Book(measurements=made), {})
    assert "- a (load 0.2), c (load 0.2): A Processor, 2 cores, 16 GB, Linux, Python 3.11.7, numpy 2.4.6;" in text
    assert "commit 0123456789ab" in text
    assert "- b (load 1.0): Another, 2 cores" in text
    assert "; no commit" in text


def test_a_benchmark_that_broke_says_so_and_keeps_what_was_measured_before() -> None:
    book = Book(measurements=(measurement("a"),), broken={"a": "OSError: full", "f": "it took longer than 9 s"})
    text = page(book, {})
    assert "**At its last try it broke.** The figures above are older. What it said: OSError: full" in text
    assert "## f\n\n**At its last try it broke.** What it said: it took longer than 9 s" in text
    assert "| a round | 2 s |" in text


def test_what_broke_reaches_no_limit_by_what_an_older_try_left() -> None:
    book = Book(measurements=(measurement("b", REACHED), measurement("d", REACHED)), broken={"b": "OSError: full"})
    b, d = (line for line in page(book, {}).splitlines() if line.startswith(("| [b]", "| [d]")))
    assert b.endswith("| at least 0.4 | **broke at its last try** |")
    assert d.endswith("| at least 0.4 | yes |")


def test_a_quick_try_is_never_taken_for_a_measurement() -> None:
    assert "a quick try" in page(Book(measurements=(measurement("a", quick=True),)), {})
    assert "a quick try" not in page(Book(measurements=(measurement("a"),)), {})


def test_other_benchmarks_are_listed_with_their_command_and_nothing_measured_is_said() -> None:
    assert page(Book(), {}).endswith("Nothing was measured yet.\n")
    text = page(Book(measurements=(measurement("a"),)), {"shapers.py": "How well links keep their profiles."})
    assert "- `.venv/bin/python tests/benchmarks/shapers.py`: How well links keep their profiles." in text


def test_numbers_have_four_digits_and_no_power_of_ten_where_people_write_none() -> None:
    values = {123456.7: "123,500", 0.00012346: "0.000123", 2.0: "2", 1.23456: "1.235", 3e-7: "3e-07", 5e8: "5e+08"}
    for value, words in values.items():
        assert f"a round: {words} s" in told(measurement("a", figure("a round", value)))[1]


def test_a_terminal_is_told_what_was_reached() -> None:
    assert told(measurement("b", MISSED))[1] == "  share of a round: 0.03 % (0.02 to 0.04), at most 0.01 %: **no**"
