"""The embedded corpus for token classification: sentences of the made-up language with tagged mentions; pure.

Each of four entity types has two topics: a mention opens with a word of the first and goes on, if it does, with words
of the second. Topics share words, so what a word is may only show in the words beside it, or in a trigger before the
mention: a common word that says its type. Words of the remaining four topics stand in some sentences and are no
entities. An encoder that knows the topics has less to learn, from few labelled sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.learning.data.corpus import TOPICS, Corpus, Stream, spread

TYPES = ("person", "place", "group", "work")


@dataclass(frozen=True)
class EntityPlan:
    """What the sentences are made of; ``seed`` decides the types' topics, the splits have streams of their own.

    ``type_shares`` follow TYPES; ``mention_shares`` are those of sentences with 0, 1, 2, 3 mentions, of which a short
    one has fewer; ``size_shares`` those of mentions of 1, 2, 3 words. ``shared_share`` is as in Corpus.topical.
    """

    seed: int = 20241
    train_sentences: int = 3_000
    test_sentences: int = 800
    shortest: int = 8
    longest: int = 24
    words_per_mention: int = 5
    type_shares: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)
    mention_shares: tuple[float, ...] = (0.2, 0.4, 0.25, 0.15)
    size_shares: tuple[float, ...] = (0.35, 0.4, 0.25)
    triggers_per_type: int = 2
    trigger_share: float = 0.5
    neutral_share: float = 0.3
    shared_share: float = 0.25


@dataclass(frozen=True)
class Sentence:
    """Words, and the IOB2 tag of each."""

    tokens: list[str]
    tags: list[str]


class EntityCorpus:
    """The types' topics and triggers, and sentences drawn from them."""

    def __init__(self, plan: EntityPlan, corpus: Corpus) -> None:
        self.plan = plan
        self._corpus = corpus
        stream = Stream(plan.seed, 0)
        topics = stream.order(len(TOPICS)).tolist()
        self._first, self._next = topics[: len(TYPES)], topics[len(TYPES) : 2 * len(TYPES)]
        self._neutral = topics[2 * len(TYPES) :]
        common = corpus.common_words[stream.order(len(corpus.common_words))]
        triggers = plan.triggers_per_type * len(TYPES)
        self._triggers = common[:triggers].reshape(len(TYPES), -1)
        self._fillers = common[triggers:]

    def split(self, name: str) -> list[Sentence]:
        """The sentences of the split ``train`` or ``test``."""
        count, purpose = {"train": (self.plan.train_sentences, 1), "test": (self.plan.test_sentences, 2)}[name]
        stream = Stream(self.plan.seed, purpose)
        return [self._sentence(stream) for _ in range(count)]

    def _sentence(self, stream: Stream) -> Sentence:
        """Mentions, perhaps a run of neutral words, and common words between them."""
        plan = self.plan
        length = stream.between(plan.shortest, plan.longest)
        mentions = min(stream.place(plan.mention_shares), length // plan.words_per_mention)
        runs = [self._mention(stream.place(plan.type_shares), stream) for _ in range(mentions)]
        if stream.chance(plan.neutral_share) and length >= (mentions + 1) * plan.words_per_mention:
            runs.append(self._neutral_run(stream))
        words, begins = spread([words for words, _ in runs], length, self._fillers, stream)
        tags = ["O"] * length
        for (_, run_tags), begin in zip(runs, begins, strict=True):
            tags[begin : begin + len(run_tags)] = run_tags
        return Sentence([self._corpus.words[word] for word in words], tags)

    def _mention(self, type_: int, stream: Stream) -> tuple[list[int], list[str]]:
        """Words and tags of a mention, after its trigger if it has one."""
        further = stream.place(self.plan.size_shares)
        topics = [self._first[type_], *[self._next[type_]] * further]
        tags = [f"B-{TYPES[type_]}", *[f"I-{TYPES[type_]}"] * further]
        words = self._words(topics, stream)
        if stream.chance(self.plan.trigger_share):
            return [stream.one_of(self._triggers[type_]), *words], ["O", *tags]
        return words, tags

    def _neutral_run(self, stream: Stream) -> tuple[list[int], list[str]]:
        """Words of a topic that is of no type."""
        size = stream.place(self.plan.size_shares) + 1
        return self._words([stream.one_of(self._neutral)] * size, stream), ["O"] * size

    def _words(self, topics: Sequence[int], stream: Stream) -> list[int]:
        """A word of each of the topics."""
        return [self._corpus.topical(topic, self.plan.shared_share, stream) for topic in topics]
