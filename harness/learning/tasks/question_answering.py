"""Question answering: questions on contexts as windows of tokens, and answers as spans of characters.

A row is a question and a window of its context. A context longer than a row has several, overlapping, so that an answer
cut by one window stands whole in the next. What a span of tokens says is read from the context by the characters that
the tokens cover, never from the tokens: case, spaces and accents are those of the context.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.learning.data.encode import Encoded, flat, flat_types
from harness.learning.data.examples import QuestionExample
from harness.learning.data.tokenizer import TextTokenizer
from harness.learning.tasks import squad
from harness.learning.tasks.scoring import Outputs
from harness.learning.tasks.spans import best_span

if TYPE_CHECKING:
    from tokenizers import Encoding

_BATCH = 500
_SPECIAL = -1


def encode(examples: Sequence[QuestionExample], tokenizer: TextTokenizer, question_length: int, stride: int) -> Encoded:
    """Windows of all examples, with ``samples``, ``spans`` of the first answer, and ``places``.

    A question is cut at ``question_length`` tokens, and at half of a row's room. Windows overlap by ``stride`` tokens,
    at most by half of the room that the question leaves. An answer that lies in part on a token has that token; one
    without any token, or not wholly in a window, has the span (0, 0) there. Every example has at least one row.

    Raises:
        UsageError: a row has no room for a token of each.
    """
    room = tokenizer.room(pair=True)
    if room < 2:
        raise UsageError(
            f"train.max_length is {tokenizer.max_length}, but a question and its context need at least "
            f"{tokenizer.max_length - room + 2} tokens, special ones included: give at least that"
        )
    frame = _frame(tokenizer, examples)
    rows: list[_Row] = []
    samples: list[int] = []
    for sample, (example, question, context) in enumerate(_read(examples, tokenizer)):
        cut = question[: min(question_length, room // 2)]
        answer = _answer(example, context.places)
        for first, window in _windows(context, room - len(cut), stride):
            rows.append(_framed(frame, cut, window, (answer[0] - first, answer[1] - first)))
            samples.append(sample)
    return _joined(rows, samples)


class AnswerScorer:
    """A :class:`~harness.learning.tasks.scoring.Scorer` of answers: SQuAD's metrics over all questions.

    The answer is the best span over all windows of a question, of equal ones that of the first window; where no window
    has a valid span, the answer is empty. Of each question only the best candidate so far is kept.
    """

    def __init__(self, examples: Sequence[QuestionExample], encoded: Encoded, answer_length: int) -> None:
        if encoded.places is None:
            raise ValueError("answers are read by the places of tokens, and these rows have none")
        self._examples = examples
        self._encoded = encoded
        self._places = encoded.places
        self._owners = encoded.owners
        self._answer_length = answer_length
        self._best: dict[int, _Candidate] = {}

    def add(self, rows: Sequence[int], outputs: Outputs) -> None:
        """Scores of first and last tokens of some rows, [b, longest, 2]; what is beyond a row's length is ignored."""
        for row, scores in zip(rows, outputs, strict=True):
            places = self._places[self._encoded.row(row)]
            start, end = scores[: len(places)].T
            span = best_span(start, end, places[:, 0] >= 0, self._answer_length)
            if span is None:
                continue
            found = _Candidate(span.score, -row, int(places[span.first, 0]), int(places[span.last, 1]))
            sample = int(self._owners[row])
            self._best[sample] = max(found, self._best.get(sample, found))

    def answers(self) -> list[str]:
        """The answer to each question."""
        return [self._text(sample) for sample in range(len(self._examples))]

    def metrics(self) -> dict[str, float]:
        """Exact match and F1 over all questions, by question and by answer, shares of 1."""
        return squad.score(self.answers(), [example.answers for example in self._examples])

    def _text(self, sample: int) -> str:
        best = self._best.get(sample)
        return "" if best is None else _read_out(self._examples[sample].context, best.begin, best.end)


class _Candidate(NamedTuple):
    """An answer by its characters. The larger one is better: of equal scores that of the earlier row."""

    score: float
    minus_row: int
    begin: int
    end: int


class _Text(NamedTuple):
    """Tokens of a context: ids int32 [tokens]; places int32 [tokens, 2], begin and end of the characters covered."""

    ids: NDArray[np.int32]
    places: NDArray[np.int32]


class _Frame(NamedTuple):
    """A row of a question and a context of one token each. ``texts`` [tokens]: 0 question, 1 context, -1 special."""

    ids: NDArray[np.int32]
    types: NDArray[np.uint8]
    texts: NDArray[np.int8]


class _Row(NamedTuple):
    ids: NDArray[np.int32]
    types: NDArray[np.uint8]
    places: NDArray[np.int32]
    span: tuple[int, int]


def _read(
    examples: Sequence[QuestionExample], tokenizer: TextTokenizer
) -> Iterator[tuple[QuestionExample, NDArray[np.int32], _Text]]:
    """Each example with the tokens of its question and its context; a context that several share is read once."""
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH]
        groups = [(context, list(group)) for context, group in groupby(batch, key=lambda example: example.context)]
        questions = _encodings(tokenizer, [example.question for example in batch])
        contexts = _encodings(tokenizer, [context for context, _ in groups])
        for (_, group), context in zip(groups, contexts, strict=True):
            # Places are those of the bare text: byte-level post-processors trim a space off the offsets at each call,
            # so in a framed row they miss a letter.
            places = np.array(context.offsets, dtype=np.int32).reshape(-1, 2)
            text = _Text(np.array(context.ids, dtype=np.int32), places)
            for example in group:
                yield example, np.array(next(questions).ids, dtype=np.int32), text


def _encodings(tokenizer: TextTokenizer, texts: list[str]) -> Iterator[Encoding]:
    return iter(tokenizer.backend.encode_batch(texts, add_special_tokens=False))


def _answer(example: QuestionExample, places: NDArray[np.int32]) -> tuple[int, int]:
    """First and last token of the context that cover the first answer, spaces around it aside; (-1, -1): none."""
    begin, end = example.spans[0] if example.spans else (0, 0)
    answer = example.context[begin:end]
    end -= len(answer) - len(answer.rstrip())
    begin += len(answer) - len(answer.lstrip())
    covering = np.flatnonzero((places[:, 0] < end) & (places[:, 1] > begin) & (begin < end))
    return (int(covering[0]), int(covering[-1])) if len(covering) else (-1, -1)


def _read_out(context: str, begin: int, end: int) -> str:
    """Characters ``begin`` to ``end`` without spaces around them, the last one with its accents.

    A tokenizer that drops accents leaves those at the end of a word to no token.
    """
    while end < len(context) and unicodedata.combining(context[end]):
        end += 1
    return context[begin:end].strip()


def _windows(context: _Text, room: int, stride: int) -> Iterator[tuple[int, _Text]]:
    """Windows of at most ``room`` tokens and the number of their first token; they overlap, and miss nothing."""
    overlap = min(stride, room // 2)
    for first in range(0, max(len(context.ids) - overlap, 1), room - overlap):
        window = slice(first, first + room)
        yield first, _Text(context.ids[window], context.places[window])


def _frame(tokenizer: TextTokenizer, examples: Sequence[QuestionExample]) -> _Frame:
    """The frame that the tokenizer puts around a pair of texts, seen on the first word of the examples with a token.

    Of that word's tokens the first one is kept. Two texts are encoded at once here, not framed: in a frame made of
    encoded texts the second may be marked as the first one too.
    """
    words = (word for example in examples for word in f"{example.context} {example.question}".split())
    pairs = (tokenizer.backend.encode(word, word) for word in words)
    pair = next((pair for pair in pairs if 0 in pair.sequence_ids), tokenizer.backend.encode("", ""))
    texts = np.array([_SPECIAL if text is None else text for text in pair.sequence_ids], dtype=np.int8)
    kept = (texts == _SPECIAL) | (np.diff(texts, prepend=_SPECIAL) != 0)
    ids, types = np.array(pair.ids, dtype=np.int32), np.array(pair.type_ids, dtype=np.uint8)
    return _Frame(ids[kept], types[kept], texts[kept])


def _framed(frame: _Frame, question: NDArray[np.int32], window: _Text, answer: tuple[int, int]) -> _Row:
    """A row; ``answer`` is counted within the window, and may lie outside of it."""
    counts = np.choose(frame.texts + 1, [1, len(question), len(window.ids)])
    texts = np.repeat(frame.texts, counts)
    ids = np.repeat(frame.ids, counts)
    ids[texts == 0], ids[texts == 1] = question, window.ids
    places = np.full((len(ids), 2), -1, dtype=np.int32)
    places[texts == 1] = window.places
    whole = answer[0] >= 0 and answer[1] < len(window.ids)
    before = int(np.argmax(texts == 1)) if whole else 0
    span = (before + answer[0], before + answer[1]) if whole else (0, 0)
    return _Row(ids, np.repeat(frame.types, counts), places, span)


def _joined(rows: list[_Row], samples: list[int]) -> Encoded:
    input_ids, offsets = flat(row.ids for row in rows)
    return Encoded(
        input_ids,
        offsets,
        spans=np.array([row.span for row in rows], dtype=np.int32).reshape(-1, 2),
        samples=np.array(samples, dtype=np.int64),
        types=flat_types(row.types for row in rows),
        places=np.concatenate([np.zeros((0, 2), dtype=np.int32), *(row.places for row in rows)]),
    )
