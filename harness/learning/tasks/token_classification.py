"""Token classification: tagged sentences as rows of tokens, and the F1 of the entities in them.

The tag of a word stands on its first token; what follows of the word, and the special tokens, are not learned and not
scored. Sentences are learned as far as they fit into a row, and scored whole: a long one is read in windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.learning.data.encode import UNLABELLED, Encoded, flat
from harness.learning.data.examples import SentenceExample
from harness.learning.data.tokenizer import TextTokenizer
from harness.learning.tasks.scoring import Outputs

if TYPE_CHECKING:
    from tokenizers import Encoding

_BATCH = 500
_NOWHERE = -1
_OUTSIDE = "O"


class _Row(NamedTuple):
    """One window: token ids, and the word that each token is the first of, _NOWHERE for the others; int32 [tokens]."""

    ids: NDArray[np.int32]
    words: NDArray[np.int32]


def encode(
    examples: Sequence[SentenceExample], label_names: Sequence[str], tokenizer: TextTokenizer, for_scoring: bool
) -> Encoded:
    """Each sentence as one row with ``tags``, or ``for_scoring`` as one or more, with ``samples`` and ``places`` too.

    To be learned, a sentence is cut at ``tokenizer.max_length``, as in the papers: the tags of the words beyond it are
    not learned. To be scored, it is read in windows that overlap by half; of the two windows that hold a word, the one
    that shows more of what is around it has its tag and its place, the other has neither. A word that the tokenizer
    drops (an empty or a zero-width one) is on no token; of a sentence of such words, special tokens are left.

    ``tokenizer`` is made with ``words``.
    """
    number = {name: place for place, name in enumerate(label_names)}
    rows: list[_Row] = []
    samples: list[int] = []
    tags: list[NDArray[np.int32]] = []
    for sample, (example, sentence) in enumerate(zip(examples, _read(examples, tokenizer), strict=True)):
        for row in _windows(sentence, tokenizer, for_scoring):
            rows.append(row)
            samples.append(sample)
            tags.append(_tags(row.words, example.tags, number))
    input_ids, offsets = flat(row.ids for row in rows)
    encoded_tags, _ = flat(tags)
    if not for_scoring:
        return Encoded(input_ids, offsets, tags=encoded_tags)
    places, _ = flat(row.words for row in rows)
    return Encoded(
        input_ids,
        offsets,
        tags=encoded_tags,
        samples=np.array(samples, dtype=np.int64),
        places=places[:, None],
    )


def _read(examples: Sequence[SentenceExample], tokenizer: TextTokenizer) -> Iterator[Encoding]:
    """All tokens of each sentence, without special tokens."""
    for start in range(0, len(examples), _BATCH):
        yield from tokenizer.split([example.words for example in examples[start : start + _BATCH]])


def _windows(sentence: Encoding, tokenizer: TextTokenizer, for_scoring: bool) -> list[_Row]:
    """The sentence's rows: the first alone, or all, each with the words that none of the others has."""
    firsts = _first_tokens(sentence)
    room = tokenizer.room()
    overlap = room // 2
    step, half = room - overlap, overlap // 2
    sentence.truncate(room, stride=overlap)
    pieces = [sentence, *sentence.overflowing] if for_scoring else [sentence]
    rows = []
    for number, piece in enumerate(pieces):
        begin = number * step
        words = firsts[begin : begin + len(piece.ids)].copy()
        if number > 0:
            words[:half] = _NOWHERE
        if number < len(pieces) - 1:
            words[step + half :] = _NOWHERE
        rows.append(_framed(tokenizer.framed(piece), words))
    return rows


def _first_tokens(sentence: Encoding) -> NDArray[np.int32]:
    """The word that each token is the first of, _NOWHERE for tokens further on in a word, [tokens]."""
    words = np.array([_NOWHERE if word is None else word for word in sentence.word_ids], dtype=np.int32)
    same = np.zeros(len(words), dtype=np.bool_)
    same[1:] = words[1:] == words[:-1]
    words[same] = _NOWHERE
    return words


def _framed(row: Encoding, words: NDArray[np.int32]) -> _Row:
    """A piece with its special tokens; ``words`` are those of its own tokens."""
    placed = np.full(len(row.ids), _NOWHERE, dtype=np.int32)
    placed[[sequence is not None for sequence in row.sequence_ids]] = words
    return _Row(np.array(row.ids, dtype=np.int32), placed)


def _tags(words: NDArray[np.int32], tags: Sequence[str], number: Mapping[str, int]) -> NDArray[np.int32]:
    """The tag of each token of a row, UNLABELLED where it is the first of no word."""
    tagged = np.full(len(words), UNLABELLED, dtype=np.int32)
    placed = words >= 0
    tagged[placed] = [number[tags[word]] for word in words[placed]]
    return tagged


class TagScorer:
    """Precision, recall and F1 of the entities of all sentences, as seqeval counts them by default.

    An entity is right if its type, its first and its last word are; I- after O or after another type opens one
    (conlleval). All words of all ``examples`` are scored. A word without a token is predicted to be outside.
    """

    def __init__(self, examples: Sequence[SentenceExample], encoded: Encoded, label_names: Sequence[str]) -> None:
        if encoded.places is None:
            raise ValueError("these rows do not tell the places of words: encode them for scoring")
        self._examples = examples
        self._words = encoded.places[:, 0]
        self._row = encoded.row
        self._owners = encoded.owners
        self._names = [*label_names, _OUTSIDE]
        self._begins = np.cumsum([0, *(len(example.words) for example in examples)])
        self._predicted = np.full(self._begins[-1], len(label_names), dtype=np.int64)

    def add(self, rows: Sequence[int], outputs: Outputs) -> None:
        """Outputs of some rows, [b, longest, labels]."""
        for row, best in zip(rows, outputs.argmax(axis=-1), strict=True):
            words = self._words[self._row(row)]
            placed = words >= 0
            self._predicted[self._begins[self._owners[row]] + words[placed]] = best[: len(words)][placed]

    def metrics(self) -> dict[str, float]:
        """``f1``, ``precision`` and ``recall``, each counted over all entities; 0 where nothing can be counted."""
        from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

        tags = [self._names[place] for place in self._predicted]
        predicted = [tags[begin:end] for begin, end in zip(self._begins[:-1], self._begins[1:], strict=True)]
        precision, recall, f1, _ = precision_recall_fscore_support(
            [list(example.tags) for example in self._examples], predicted, average="micro", zero_division=0
        )
        return {"f1": float(f1), "precision": float(precision), "recall": float(recall)}
