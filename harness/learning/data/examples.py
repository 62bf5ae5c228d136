"""Samples of a data set as they are read: one struct for each task; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import msgspec


class TextExample(msgspec.Struct, frozen=True, gc=False):
    """A text, or a pair of texts, with its label. ``source`` is the corpus it is from, where there are several."""

    text: str
    label: str
    pair: str | None = None
    source: str = ""


class SentenceExample(msgspec.Struct, frozen=True, gc=False):
    """Words, and the tag of each: ``O``, ``B-<type>`` or ``I-<type>`` (IOB2)."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    source: str = ""


class QuestionExample(msgspec.Struct, frozen=True, gc=False):
    """A question on a context, and its answers.

    ``answers`` are the references of the metrics. ``spans`` are places of answers in the context, as characters
    ``(begin, end)``: training learns the first one; there may be none where a sample is for scoring alone.
    """

    id: str
    context: str
    question: str
    answers: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    source: str = ""


Example = Union[TextExample, SentenceExample, QuestionExample]


@dataclass(frozen=True)
class Dataset:
    """What a run learns from and is evaluated on.

    ``label_names``: classes of the head, in the order of its outputs (none for questions). ``classes`` is the class of
    each training sample for the partition, as an index into ``class_names``.
    """

    train: list[Example]
    evaluated: list[Example]
    label_names: tuple[str, ...]
    classes: list[int]
    class_names: tuple[str, ...]
