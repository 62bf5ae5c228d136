"""Words from elsewhere become one line that no terminal obeys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocol.text import plain


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("the trainer ran out of memory", "the trainer ran out of memory"),
        ("größer als 3 °C", "größer als 3 °C"),
        ("two\nlines\r\n\tand a tab ", "two lines and a tab"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("\x1b]0;title\x07", "]0;title"),
        ("a\u202egnirts\u2066", "a gnirts"),
        ("a\x9bm\x7fb\ud800c", "a m b c"),
        ("\0", ""),
    ],
)
def test_what_is_said_is_shown_as_one_line_of_printable_characters(said: str, shown: str) -> None:
    assert plain(said) == shown


@given(st.text())
def test_any_text_becomes_printable_and_stays_so(text: str) -> None:
    shown = plain(text)
    assert shown.isprintable()
    assert plain(shown) == shown
    assert len(shown) <= len(text)
