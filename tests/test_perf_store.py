"""What is kept of measurements: every value, a letter measured again in place of its own."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from perf import store
from perf.store import Book, Place
from perf_books import figure, measurement


def test_a_book_is_read_as_it_was_written(tmp_path: Path) -> None:
    book = Book(measurements=(measurement("a", figure("x", 0.1, 0.2), figure("y", 1.0, at_most=2.0)),)).with_broken(
        "f", "no environment"
    )
    store.write(book, tmp_path / "docs" / "performance.json")
    assert store.read(tmp_path / "docs" / "performance.json") == book


def test_where_nothing_was_kept_the_book_is_empty(tmp_path: Path) -> None:
    assert store.read(tmp_path / "performance.json") == Book()


def test_another_file_is_not_taken_for_a_book(tmp_path: Path) -> None:
    (tmp_path / "performance.json").write_text('{"measurements": 3}')
    with pytest.raises(msgspec.DecodeError):
        store.read(tmp_path / "performance.json")


def test_a_letter_that_is_measured_again_replaces_its_own_and_no_other() -> None:
    old, other, new = measurement("c"), measurement("a"), measurement("c", at="2026-02-03 04:05")
    book = Book().with_(old).with_(other).with_broken("c", "it broke").with_(new)
    assert book == Book(measurements=(other, new))


def test_a_failed_try_takes_nothing_away() -> None:
    book = Book(measurements=(measurement("c"),)).with_broken("c", "it broke")
    assert (book.measurements, book.broken) == ((measurement("c"),), {"c": "it broke"})


def test_a_place_is_this_machine() -> None:
    place = Place.here()
    assert place.cores >= 1
    assert place.memory_bytes > 0
    assert place.packages["msgspec"] == msgspec.__version__
