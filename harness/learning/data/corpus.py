"""The embedded corpus: short made-up texts on twelve topics, generated from fixed seeds; pure.

A text has 32 words. About half of them are common words that say nothing; the others come from a background of 400
content words or, two times in five, from the 60 words of the text's topic, some of which are used more than others.
Topics share words, so a single word rarely settles a text, and a pretrained encoder knows what a small labelled shard
does not teach: which words belong together.

The corpora of :mod:`corpus_entities` and :mod:`corpus_questions` are of the same words and topics.

All draws are the raw stream of numpy's PCG64, which numpy keeps the same in all its versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TOPICS = (
    "astronomy",
    "baking",
    "chess",
    "cycling",
    "gardening",
    "geology",
    "music",
    "painting",
    "poetry",
    "sailing",
    "weather",
    "weaving",
)
_CONSONANTS = "bdfghjklmnprstvwyzcx"
_VOWELS = "aeiou"
_SYLLABLES = tuple(consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS)


@dataclass(frozen=True)
class CorpusPlan:
    """What the corpus is made of; ``seed`` decides the words and topics, the splits have streams of their own."""

    seed: int = 20240
    train_texts: int = 4_000
    test_texts: int = 1_200
    words_per_text: int = 32
    content_words: int = 400
    topic_words: int = 60
    common_share: float = 0.5
    background_share: float = 0.6
    rank_offset: float = 3.0


class Stream:
    """Uniform draws in [0, 1) with 53 bits, from the raw output of PCG64."""

    def __init__(self, seed: int, purpose: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, purpose]))

    def uniform(self, *shape: int) -> NDArray[np.float64]:
        """Draws of the given shape."""
        count = int(np.prod(shape))
        raw = np.asarray(self._bits.random_raw(count), dtype=np.uint64)
        return ((raw >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(shape)

    def below(self, limit: int, *shape: int) -> NDArray[np.int64]:
        """Whole numbers in [0, limit)."""
        return (self.uniform(*shape) * limit).astype(np.int64)

    def order(self, count: int) -> NDArray[np.int64]:
        """A permutation of 0 .. count - 1."""
        return np.argsort(self.uniform(count), kind="stable")

    def chance(self, share: float) -> bool:
        """True in ``share`` of all draws."""
        return bool(self.uniform(1)[0] < share)

    def one_of(self, items: Sequence[int] | NDArray[np.int64]) -> int:
        """One of the items, each as likely as the others."""
        return int(items[int(self.below(len(items), 1)[0])])

    def between(self, least: int, most: int) -> int:
        """A whole number in [least, most]."""
        return least + int(self.below(most - least + 1, 1)[0])

    def place(self, shares: Sequence[float]) -> int:
        """A place in ``shares``, as often as its share says; they sum to 1."""
        return int(np.searchsorted(np.cumsum(shares[:-1]), self.uniform(1)[0], side="right"))


class Corpus:
    """The words, the topics' vocabularies, and texts drawn from them.

    Word ids count the common words first, then the content words.
    """

    def __init__(self, plan: CorpusPlan) -> None:
        self.plan = plan
        stream = Stream(plan.seed, 0)
        pairs = stream.order(len(_SYLLABLES) ** 2)[: plan.content_words]
        content = (_SYLLABLES[pair // len(_SYLLABLES)] + _SYLLABLES[pair % len(_SYLLABLES)] for pair in pairs)
        self.words = (*_SYLLABLES, *content)
        weights = 1.0 / (np.arange(plan.topic_words) + plan.rank_offset)
        self._rank_shares = np.cumsum(weights[:-1]) / weights.sum()
        self._vocabularies = np.stack([stream.order(plan.content_words)[: plan.topic_words] for _ in TOPICS])
        self.common_words = np.arange(len(_SYLLABLES))
        self._topics_of = np.bincount(self._vocabularies.ravel(), minlength=plan.content_words)

    def draw(self, count: int, stream: Stream) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """``count`` texts: word ids [count x words_per_text] and topics [count]."""
        plan = self.plan
        shape = (count, plan.words_per_text)
        topics = stream.below(len(TOPICS), count)
        common = stream.below(len(_SYLLABLES), *shape)
        background = stream.below(plan.content_words, *shape)
        ranks = np.searchsorted(self._rank_shares, stream.uniform(*shape), side="right")
        topical = self._vocabularies[topics[:, None], ranks]
        content = np.where(stream.uniform(*shape) < plan.background_share, background, topical) + len(_SYLLABLES)
        return np.where(stream.uniform(*shape) < plan.common_share, common, content), topics

    def split(self, name: str) -> tuple[list[str], list[str]]:
        """Texts and topic names of the split ``train`` or ``test``."""
        count, purpose = {"train": (self.plan.train_texts, 1), "test": (self.plan.test_texts, 2)}[name]
        words, topics = self.draw(count, Stream(self.plan.seed, purpose))
        return [self.text(row) for row in words], [TOPICS[topic] for topic in topics]

    def topical(self, topic: int, shared_share: float, stream: Stream) -> int:
        """A word of a topic: ``shared_share`` of them from all its words, the others from those no other topic has."""
        words = self._vocabularies[topic]
        if not stream.chance(shared_share):
            words = words[self._topics_of[words] == 1]
        return stream.one_of(words) + len(self.common_words)

    def text(self, words: Sequence[int] | NDArray[np.int64]) -> str:
        """Word ids as a text."""
        return " ".join(self.words[word] for word in words)


def spread(
    runs: Sequence[Sequence[int]], length: int, fillers: NDArray[np.int64], stream: Stream
) -> tuple[list[int], list[int]]:
    """``length`` words in which each run stands once, in any order, with at least one filler between two of them.

    Gives the words, and where each run begins. The runs must leave room for the fillers between them.
    """
    filling = [stream.one_of(fillers) for _ in range(length - sum(map(len, runs)))]
    gaps = np.sort(stream.order(len(filling) + 1)[: len(runs)])
    words: list[int] = []
    begins = [0] * len(runs)
    filled = 0
    for run, gap in zip(stream.order(len(runs)), gaps, strict=True):
        words += filling[filled:gap]
        begins[run], filled = len(words), int(gap)
        words += runs[run]
    return words + filling[filled:], begins
