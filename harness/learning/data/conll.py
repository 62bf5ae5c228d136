"""CoNLL column files: a word a line, its tag in the last column, an empty line after each sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from harness.errors import UsageError

_PREFIXES = "BIESLU"  # begin, inside, end or last, single or unit


class Sentence(NamedTuple):
    """Words and their tags, in IOB2."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


class _Line(NamedTuple):
    word: str
    prefix: str
    type: str


def read_conll(path: Path) -> list[Sentence]:
    """All sentences of a file, in its order.

    Raises:
        UsageError: the file cannot be read, or a line is not a word and a tag.
    """
    return list(parse_conll(text_lines(path), str(path)))


def text_lines(path: Path) -> Iterator[str]:
    """Lines of a file, one by one.

    Raises:
        UsageError: it cannot be read, or is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise UsageError(f"data file {path} is not text in UTF-8 ({error.reason}): convert it to UTF-8") from None
    except OSError as error:
        raise UsageError(f"data file {path} cannot be read ({error.strerror}): make it readable") from None


def parse_conll(lines: Iterable[str], where: str) -> Iterator[Sentence]:
    """Sentences of ``lines``, whose columns are apart by spaces or tabs: the word first, its tag last; pure.

    An empty line or one that begins with ``-DOCSTART-`` ends a sentence. Tags are IOB1 (CoNLL2003's own files), IOB2,
    BIOES or BILOU, and become IOB2: a tag opens an entity if it says so (``B-``, ``S-``, ``U-``) or if nothing of its
    type is open before it. ``where`` names the lines in errors.

    Raises:
        UsageError: a line has one column, or its last is no tag.
    """
    sentence: list[_Line] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            if sentence:
                yield _finished(sentence)
            sentence = []
        else:
            sentence.append(_parsed(line, f"{where}, line {number}"))
    if sentence:
        yield _finished(sentence)


def _parsed(line: str, place: str) -> _Line:
    """One line's word, and its tag in two parts; both are empty for ``O``."""
    columns = _columns(line)
    if len(columns) < 2:
        raise UsageError(f"{place} has one column, '{columns[0]}': give each word its tag in the last column")
    tag = columns[-1]
    if tag == "O":
        return _Line(columns[0], "", "")
    prefix, _, type_name = tag.partition("-")
    if len(prefix) != 1 or prefix not in _PREFIXES or not type_name:
        raise UsageError(f"{place} has '{tag}' as its tag: write O, B-<type> or I-<type> in the last column")
    return _Line(columns[0], prefix, type_name)


def _columns(line: str) -> list[str]:
    """Columns of a line: between tabs, where it has some; else between spaces. A word may hold other white space."""
    line = line.strip("\r\n\t ")
    return [column for part in line.split("\t" if "\t" in line else " ") if (column := part.strip(" "))]


def _finished(sentence: list[_Line]) -> Sentence:
    tags: list[str] = []
    open_type = ""  # of the entity that goes on up to here
    for _, prefix, type_name in sentence:
        if not type_name:
            tags.append("O")
        else:
            tags.append(f"{'B' if prefix in 'BSU' or type_name != open_type else 'I'}-{type_name}")
        open_type = "" if prefix in "ESLU" else type_name
    return Sentence(tuple(line.word for line in sentence), tuple(tags))
