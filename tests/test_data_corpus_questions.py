"""The embedded corpus for question answering: one answer to each question, found by what its words mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.learning.data.corpus import Corpus, CorpusPlan
from harness.learning.data.corpus_questions import Question, QuestionCorpus, QuestionPlan

CORPUS = Corpus(CorpusPlan())
COMMON = {CORPUS.words[word] for word in CORPUS.common_words}
SMALL = QuestionPlan(train_questions=500, test_questions=300)


@pytest.fixture(scope="module")
def train() -> list[Question]:
    return QuestionCorpus(SMALL, CORPUS).split("train")


@pytest.fixture(scope="module")
def test() -> list[Question]:
    return QuestionCorpus(SMALL, CORPUS).split("test")


def content(text: str) -> list[str]:
    """The words of a text that are of some topic."""
    return [word for word in text.split(" ") if word not in COMMON]


def test_the_seed_decides_the_questions(train: list[Question]) -> None:
    assert QuestionCorpus(SMALL, CORPUS).split("train") == train
    assert QuestionCorpus(replace(SMALL, seed=1), CORPUS).split("train") != train


def test_splits_have_streams_and_ids_of_their_own(train: list[Question], test: list[Question]) -> None:
    assert len({one.id for one in [*train, *test]}) == 800
    assert not {one.context for one in train} & {one.context for one in test}


def test_contexts_have_25_to_60_words_of_which_few_are_content(train: list[Question]) -> None:
    assert {len(one.context.split(" ")) for one in train} == set(range(25, 61))
    assert {len(one.question.split(" ")) for one in train} == {7}
    assert all(3 <= len(content(one.context)) <= 8 for one in train)


def test_every_answer_stands_where_it_is_said_to_stand(train: list[Question], test: list[Question]) -> None:
    for one in [*train, *test]:
        for start, text in zip(one.answer_starts, one.answer_texts, strict=True):
            assert one.context[start : start + len(text)] == text
            assert f" {one.context} "[start] == " "


def test_no_content_word_stands_twice_in_a_context_and_its_question(train: list[Question]) -> None:
    for one in train:
        words = [*content(one.context), *content(one.question)]
        assert len(words) == len(set(words))


def test_answers_have_1_to_3_words_and_a_link_word_only_in_the_middle(train: list[Question]) -> None:
    forms = {tuple(word in COMMON for word in one.answer_texts[0].split(" ")) for one in train}
    assert forms == {(False,), (False, False), (False, True, False)}


def test_question_and_answer_are_of_the_same_subject() -> None:
    plan = replace(SMALL, train_questions=300, shared_share=0.0)
    # Without shared words, the words that meet in questions and answers fall into one group for each subject.
    group: dict[str, str] = {}

    def root(word: str) -> str:
        while group.setdefault(word, word) != word:
            word = group[word]
        return word

    for one in QuestionCorpus(plan, CORPUS).split("train"):
        first, *others = content(f"{one.question} {one.answer_texts[0]}")
        for other in others:
            group[root(other)] = root(first)
    assert len({root(word) for word in list(group)}) == 6


def test_only_test_questions_have_several_answers_the_further_ones_within_the_first(
    train: list[Question], test: list[Question]
) -> None:
    assert {len(one.answer_texts) for one in train} == {1}
    assert {len(one.answer_texts) for one in test} == {1, 2, 3}
    for one in test:
        words = one.answer_texts[0].split(" ")
        assert one.answer_texts[1:] in ([], [words[-1]], [words[-1], words[0]])
