"""The embedded corpus for token classification: mentions that parse, types that are skewed, nothing but the seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from harness.learning.data.corpus import Corpus, CorpusPlan
from harness.learning.data.corpus_entities import TYPES, EntityCorpus, EntityPlan, Sentence

CORPUS = Corpus(CorpusPlan())
COMMON = {CORPUS.words[word] for word in CORPUS.common_words}
SMALL = EntityPlan(train_sentences=800, test_sentences=200)


@pytest.fixture(scope="module")
def sentences() -> list[Sentence]:
    return EntityCorpus(SMALL, CORPUS).split("train")


def mentions(sentence: Sentence) -> list[tuple[str, list[str]]]:
    """Type and words of each mention; fails where an I- tag does not go on with a mention."""
    found: list[tuple[str, list[str]]] = []
    before = "O"
    for token, tag in zip(sentence.tokens, sentence.tags, strict=True):
        if tag.startswith("B-"):
            found.append((tag[2:], [token]))
        elif tag.startswith("I-"):
            assert before in (f"B-{tag[2:]}", tag)
            found[-1][1].append(token)
        before = tag
    return found


def test_the_seed_decides_the_sentences(sentences: list[Sentence]) -> None:
    assert EntityCorpus(SMALL, CORPUS).split("train") == sentences
    assert EntityCorpus(replace(SMALL, seed=1), CORPUS).split("train") != sentences


def test_splits_have_streams_of_their_own(sentences: list[Sentence]) -> None:
    test = EntityCorpus(SMALL, CORPUS).split("test")
    assert (len(sentences), len(test)) == (800, 200)
    assert not {tuple(one.tokens) for one in sentences} & {tuple(one.tokens) for one in test}


def test_a_sentence_has_8_to_24_words_of_the_corpus_and_a_tag_for_each(sentences: list[Sentence]) -> None:
    assert {len(one.tokens) for one in sentences} == set(range(8, 25))
    assert all(len(one.tokens) == len(one.tags) for one in sentences)
    assert {word for one in sentences for word in one.tokens} <= set(CORPUS.words)


def test_mentions_are_of_1_to_3_content_words_and_of_all_types(sentences: list[Sentence]) -> None:
    found = [mention for one in sentences for mention in mentions(one)]
    assert Counter(len(words) for _, words in found).keys() == {1, 2, 3}
    assert not {word for _, words in found for word in words} & COMMON
    counts = Counter(type_ for type_, _ in found)
    assert [type_ for type_, _ in counts.most_common()] == list(TYPES)


def test_two_mentions_never_touch(sentences: list[Sentence]) -> None:
    for one in sentences:
        opened = [place for place, tag in enumerate(one.tags) if tag.startswith("B-")]
        assert all(one.tags[place - 1] == "O" for place in opened if place)


def test_sets_of_types_are_many_and_skewed(sentences: list[Sentence]) -> None:
    sets = Counter(frozenset(type_ for type_, _ in mentions(one)) for one in sentences)
    assert 12 <= len(sets) <= 15
    assert sets[frozenset()] > 0.1 * len(sentences)
    assert max(sets.values()) > 20 * min(sets.values())


def test_a_word_may_be_in_mentions_of_several_types_and_outside_of_mentions(sentences: list[Sentence]) -> None:
    types_of: dict[str, set[str]] = {}
    for one in sentences:
        for token, tag in zip(one.tokens, one.tags, strict=True):
            types_of.setdefault(token, set()).add(tag[2:])
    ambiguous = [word for word, types in types_of.items() if len(types) > 1 and word not in COMMON]
    assert len(ambiguous) > 50


def test_triggers_stand_before_half_of_the_mentions_and_say_the_type(sentences: list[Sentence]) -> None:
    before: dict[str, Counter[str]] = {type_: Counter() for type_ in TYPES}
    others: Counter[str] = Counter()
    for one in sentences:
        follows = [tag[2:] if tag.startswith("B-") else "" for tag in [*one.tags[1:], "O"]]
        for token, type_ in zip(one.tokens, follows, strict=True):
            if type_:
                before[type_][token] += 1
            elif token in COMMON:
                others[token] += 1
    for type_, counts in before.items():
        triggers = [word for word, _ in counts.most_common(SMALL.triggers_per_type)]
        assert 0.35 < sum(counts[word] for word in triggers) / counts.total() < 0.65
        assert not any(others[word] for word in triggers), type_
