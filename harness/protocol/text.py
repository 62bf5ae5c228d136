"""Words that came from elsewhere, made fit to be shown to people."""

from __future__ import annotations


def plain(text: str) -> str:
    """The text as one line of printable characters.

    Whatever else there is (line breaks, the escapes that move a terminal's cursor or colour it, marks that turn the
    direction of writing) becomes a space, and spaces in a row become one.
    """
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
