"""The embedded corpus for question answering: contexts of the made-up language, and questions about them; pure.

Each of six subjects has two topics, as the types of :mod:`corpus_entities` have. A context mentions some subjects, each
once: a word of the first topic, perhaps followed by one of the second, perhaps with a link word between them. The
question gives other words of both topics of one of these subjects; its answer is the mention. No word of a mention
stands elsewhere in the context or in the question, so an encoder must know which words belong together.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.learning.data.corpus import TOPICS, Corpus, Stream, spread

SUBJECTS = len(TOPICS) // 2


@dataclass(frozen=True)
class QuestionPlan:
    """What the contexts are made of; ``seed`` decides the subjects' topics, the splits have streams of their own.

    ``size_shares`` are those of mentions of 1, 2, 3 words; ``topic_words`` and ``common_words`` how many words of each
    of the two topics, and how many that say nothing, a question has. ``shared_share`` is as in Corpus.topical.
    ``short_share`` of the longer answers of the test split may be given in a shorter form too.
    """

    seed: int = 20242
    train_questions: int = 3_000
    test_questions: int = 600
    shortest: int = 25
    longest: int = 60
    fewest_subjects: int = 3
    most_subjects: int = 4
    size_shares: tuple[float, ...] = (0.4, 0.35, 0.25)
    topic_words: int = 3
    common_words: int = 1
    link_words: int = 5
    shared_share: float = 0.15
    short_share: float = 0.6


@dataclass(frozen=True)
class Question:
    """A question on a context; answers and where each begins in the context, in characters."""

    id: str
    context: str
    question: str
    answer_starts: list[int]
    answer_texts: list[str]


class QuestionCorpus:
    """The subjects' topics, and contexts and questions drawn from them."""

    def __init__(self, plan: QuestionPlan, corpus: Corpus) -> None:
        self.plan = plan
        self._corpus = corpus
        stream = Stream(plan.seed, 0)
        topics = stream.order(len(TOPICS)).tolist()
        self._first, self._next = topics[:SUBJECTS], topics[SUBJECTS : 2 * SUBJECTS]
        common = corpus.common_words[stream.order(len(corpus.common_words))]
        self._links, self._fillers = common[: plan.link_words], common[plan.link_words :]

    def split(self, name: str) -> list[Question]:
        """The questions of the split ``train`` or ``test``."""
        count, purpose = {"train": (self.plan.train_questions, 1), "test": (self.plan.test_questions, 2)}[name]
        stream = Stream(self.plan.seed, purpose)
        return [self._question(f"{name}-{place + 1}", name == "test", stream) for place in range(count)]

    def _question(self, id_: str, several: bool, stream: Stream) -> Question:
        """A context of some subjects, and a question about the first of them."""
        plan = self.plan
        used: set[int] = set()
        subjects = stream.order(SUBJECTS)[: stream.between(plan.fewest_subjects, plan.most_subjects)]
        runs = [self._mention(int(subject), used, stream) for subject in subjects]
        asked = self._asked(int(subjects[0]), used, stream)
        words, begins = spread(runs, stream.between(plan.shortest, plan.longest), self._fillers, stream)
        answers = self._answers(len(runs[0]), several, stream)
        texts = [self._corpus.words[word] for word in words]
        return Question(
            id=id_,
            context=" ".join(texts),
            question=self._corpus.text(asked),
            answer_starts=[sum(len(text) + 1 for text in texts[: begins[0] + first]) for first, _ in answers],
            answer_texts=[" ".join(texts[begins[0] + first : begins[0] + end]) for first, end in answers],
        )

    def _mention(self, subject: int, used: set[int], stream: Stream) -> list[int]:
        """A word of the first topic, then none, one of the second, or a link word and one of the second."""
        size = stream.place(self.plan.size_shares) + 1
        words = [self._new_word(self._first[subject], used, stream)]
        if size == len(self.plan.size_shares):
            words.append(stream.one_of(self._links))
        if size > 1:
            words.append(self._new_word(self._next[subject], used, stream))
        return words

    def _asked(self, subject: int, used: set[int], stream: Stream) -> list[int]:
        """The words of a question about a subject, in any order."""
        topics = [self._first[subject], self._next[subject]] * self.plan.topic_words
        words = [self._new_word(topic, used, stream) for topic in topics]
        words += [stream.one_of(self._fillers) for _ in range(self.plan.common_words)]
        return [words[place] for place in stream.order(len(words))]

    def _new_word(self, topic: int, used: set[int], stream: Stream) -> int:
        """A word of a topic that this sample has not used yet."""
        while (word := self._corpus.topical(topic, self.plan.shared_share, stream)) in used:
            pass
        used.add(word)
        return word

    def _answers(self, size: int, several: bool, stream: Stream) -> list[tuple[int, int]]:
        """First word and end of each answer within the mention: all of it, perhaps its last word, or its first."""
        answers = [(0, size)]
        if several and size > 1 and stream.chance(self.plan.short_share):
            answers.append((size - 1, size))
            if size > 2:
                answers.append((0, 1))
        return answers
