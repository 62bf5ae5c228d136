"""Columns of a table become samples, one for each row; strict, and pure. Every error names the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from harness.errors import UsageError
from harness.explanation import shown
from harness.learning.data.examples import Example, QuestionExample, SentenceExample, TextExample
from harness.profiles import DatasetProfile, Role, TaskName

_NEEDED: dict[TaskName, tuple[Role, ...]] = {
    "text-classification": ("text", "label"),
    "token-classification": ("tokens", "tags"),
    "question-answering": ("id", "context", "question", "answer_starts", "answer_texts"),
}
_OPTIONAL: dict[TaskName, tuple[Role, ...]] = {
    "text-classification": ("pair", "source"),
    "token-classification": ("source",),
    "question-answering": ("source",),
}


@dataclass(frozen=True)
class Table:
    """The columns of one split by role, all of one length.

    ``where`` is what the table is called in errors: its file, or the data set and its split. ``names`` are the columns
    as the source calls them.
    """

    where: str
    names: Mapping[Role, str]
    values: Mapping[Role, Sequence[Any]]


def roles_of(profile: DatasetProfile, named: Mapping[Role, str]) -> tuple[Role, ...]:
    """The columns to read: what the task needs, the source if the classes need it, and what ``named`` names besides."""
    wanted: set[Role] = {"source"} if profile.class_rule in ("source", "source-type-set") else set()
    optional = [role for role in _OPTIONAL[profile.task] if role in wanted.union(named)]
    return (*_NEEDED[profile.task], *optional)


def examples_of(task: TaskName, table: Table) -> list[Example]:
    """The samples of a table, in its order. A missing text is an empty text.

    Raises:
        UsageError: there are no rows, or one of them does not make a sample: it has no label, tags that do not fit
            its words or are not IOB2, no answer, or an answer that is not in its context where it should begin.
    """
    count = len(table.values[_NEEDED[task][0]])
    if count == 0:
        raise UsageError(f"{table.where} is empty: a split needs at least one sample")
    make = _MAKERS[task]
    return [make(_Row(table, place)) for place in range(count)]


def iob2_problem(tags: Sequence[str]) -> str | None:
    """What keeps tags from being IOB2, in words; None where they are: O, B-<type>, or I-<type> after its like."""
    before = "O"
    for place, tag in enumerate(tags, start=1):
        head, dash, kind = tag.partition("-")
        if tag != "O" and (head not in ("B", "I") or not dash or not kind):
            return f"tag {shown(tag)} of word {place} is none of O, B-<type> and I-<type>"
        if head == "I" and before[1:] != tag[1:]:
            return f"tag {shown(tag)} of word {place} follows {shown(before)}, but an entity begins with B-{kind}"
        before = tag
    return None


class _Row:
    """One row of a table, and what to say where it is wrong."""

    def __init__(self, table: Table, place: int) -> None:
        self._table = table
        self._place = place

    def __getitem__(self, role: Role) -> Any:
        return self._table.values[role][self._place]

    def text(self, role: Role) -> str:
        """A value as text; a missing one is empty."""
        return _text(self[role])

    def texts(self, role: Role) -> tuple[str, ...]:
        """A list of texts; a missing one is empty."""
        return tuple(map(_text, self.list(role)))

    def list(self, role: Role) -> Sequence[Any]:
        """A list; a missing one is empty."""
        value = self[role]
        if isinstance(value, (list, tuple)) or value is None:
            return value or ()
        raise self.wrong(f"{shown(value)} in column '{self.name(role)}'", "that column holds a list in each row")

    def given(self, role: Role) -> bool:
        """Whether the table has the column."""
        return role in self._table.values

    def source(self) -> str:
        """The corpus that the row is from; empty where there is one alone."""
        return self.text("source") if self.given("source") else ""

    def name(self, role: Role) -> str:
        """What the source calls a column."""
        return self._table.names[role]

    def wrong(self, what: str, mend: str) -> UsageError:
        """The error of a row: ``what`` it has, and how to mend it."""
        return UsageError(f"{self._table.where}, row {self._place + 1}, has {what}: {mend}")


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _classified(row: _Row) -> TextExample:
    label = row["label"]
    if label is None:
        raise row.wrong(f"no label in column '{row.name('label')}'", "give each text one")
    pair = row.text("pair") if row.given("pair") else None
    return TextExample(row.text("text"), str(label), pair, row.source())


def _tagged(row: _Row) -> SentenceExample:
    words, tags = row.texts("tokens"), row.texts("tags")
    if len(words) != len(tags):
        raise row.wrong(
            f"{len(words)} words in column '{row.name('tokens')}' and {len(tags)} tags in '{row.name('tags')}'",
            "give each word one tag",
        )
    problem = iob2_problem(tags)
    if problem:
        raise row.wrong(f"tags that are not IOB2 in column '{row.name('tags')}' ({problem})", "mend the tags")
    return SentenceExample(words, tags, row.source())


def _asked(row: _Row) -> QuestionExample:
    context, starts, answers = row.text("context"), row.list("answer_starts"), row.texts("answer_texts")
    if len(starts) != len(answers):
        raise row.wrong(
            f"{len(starts)} places in column '{row.name('answer_starts')}' and {len(answers)} answers in "
            f"'{row.name('answer_texts')}'",
            "give each answer its place",
        )
    if not any(answers):
        raise row.wrong(f"no answer in column '{row.name('answer_texts')}'", "give each question at least one")
    spans = tuple(_span(row, context, start, answer) for start, answer in zip(starts, answers, strict=True))
    return QuestionExample(row.text("id"), context, row.text("question"), answers, spans, row.source())


def _span(row: _Row, context: str, start: object, answer: str) -> tuple[int, int]:
    """Where an answer is in its context, as characters: it must be there letter by letter."""
    if isinstance(start, int) and start >= 0 and answer and context.startswith(answer, start):
        return start, start + len(answer)
    raise row.wrong(
        f"(id {shown(row.text('id'))}) an answer that is not in its context: {shown(answer)} at character {start}",
        f"mend columns '{row.name('answer_starts')}' and '{row.name('answer_texts')}'; characters count from 0",
    )


_Maker = Callable[[_Row], Union[TextExample, SentenceExample, QuestionExample]]
_MAKERS: dict[TaskName, _Maker] = {
    "text-classification": _classified,
    "token-classification": _tagged,
    "question-answering": _asked,
}
