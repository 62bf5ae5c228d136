"""CoNLL-2012 files (``*_gold_conll``), the form in which OntoNotes is mostly at hand: named entities in brackets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import UsageError
from harness.learning.data.conll import Sentence, text_lines

_WORD, _ENTITY, _LEAST = 3, 10, 12  # document, part, number, word, pos, parse, lemma, frameset, sense, speaker, entity


def read_conll2012(path: Path) -> list[Sentence]:
    """All sentences of a file, in its order.

    Raises:
        UsageError: the file cannot be read, or a line has no such columns.
    """
    return list(parse_conll2012(text_lines(path), str(path)))


def parse_conll2012(lines: Iterable[str], where: str) -> Iterator[Sentence]:
    """Sentences of ``lines``, with brackets as IOB2: ``(GPE*``, ``*``, ``*)`` and ``(GPE)`` open, go on and end; pure.

    Raises:
        UsageError: a line has too few columns, its word was left out, or its entity column has no such brackets.
    """
    words: list[str] = []
    tags: list[str] = []
    open_type = ""
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            word, entity = _word_and_entity(line, f"{where}, line {number}")
            begun = entity.strip("(*)")
            open_type = begun or open_type
            words.append(word)
            tags.append(f"{'B' if begun else 'I'}-{open_type}" if open_type else "O")
            open_type = "" if entity.endswith(")") else open_type
        elif words:
            yield Sentence(tuple(words), tuple(tags))
            words, tags, open_type = [], [], ""
    if words:
        yield Sentence(tuple(words), tuple(tags))


def _word_and_entity(line: str, place: str) -> tuple[str, str]:
    columns = line.split()
    if len(columns) < _LEAST:
        raise UsageError(f"{place} has {len(columns)} columns: a line of CoNLL-2012 has at least {_LEAST}")
    word, entity = columns[_WORD], columns[_ENTITY]
    if word == "[WORD]":
        raise UsageError(f"{place} has no words yet: join them from LDC2013T19, as the distribution of the file says")
    if not _is_bracket(entity):
        raise UsageError(f"{place} has '{entity}' as its entity: CoNLL-2012 has *, (<type>*, *) or (<type>) there")
    return word, entity


def _is_bracket(entity: str) -> bool:
    """Whether an entity column is one of the four forms."""
    opens, ends = entity.startswith("("), entity.endswith(")")
    inner = entity[opens : len(entity) - ends]
    if not opens:
        return inner == "*"
    return bool(inner.rstrip("*")) and (ends or inner.endswith("*"))
