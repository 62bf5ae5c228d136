"""The embedded corpus: the same words, topics and texts from the same seed, on every machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from harness.learning.data.corpus import TOPICS, Corpus, CorpusPlan, Stream, spread

SMALL = CorpusPlan(train_texts=300, test_texts=100)


def test_a_stream_is_the_raw_output_of_pcg64() -> None:
    raw = np.random.PCG64(np.random.SeedSequence([5, 1])).random_raw(3)
    assert Stream(5, 1).uniform(3).tolist() == [(int(bits) >> 11) / 2**53 for bits in raw]


def test_streams_of_other_seeds_and_purposes_differ() -> None:
    draws = {tuple(Stream(seed, purpose).uniform(4)) for seed in (1, 2) for purpose in (0, 1)}
    assert len(draws) == 4


def test_draws_below_a_limit_reach_all_of_it_and_an_order_has_each_place_once() -> None:
    assert set(Stream(1, 0).below(7, 20, 20).flat) == set(range(7))
    assert sorted(Stream(1, 0).order(50)) == list(range(50))


def test_a_chance_and_a_place_come_as_often_as_their_shares_say() -> None:
    stream = Stream(1, 0)
    assert abs(sum(stream.chance(0.3) for _ in range(2_000)) / 2_000 - 0.3) < 0.03
    places = Counter(stream.place((0.5, 0.2, 0.3)) for _ in range(2_000))
    assert [places[place] / 2_000 for place in range(3)] == pytest.approx([0.5, 0.2, 0.3], abs=0.03)


def test_one_of_and_between_reach_all_they_may_and_nothing_else() -> None:
    stream = Stream(1, 0)
    assert {stream.one_of([3, 5, 9]) for _ in range(100)} == {3, 5, 9}
    assert {stream.between(2, 4) for _ in range(100)} == {2, 3, 4}


def test_words_are_all_different() -> None:
    words = Corpus(SMALL).words
    assert len(words) == len(set(words)) == 500


def test_the_seed_decides_words_and_texts() -> None:
    assert Corpus(SMALL).split("train") == Corpus(SMALL).split("train")
    assert Corpus(SMALL).split("train") != Corpus(replace(SMALL, seed=1)).split("train")


def test_splits_have_streams_of_their_own() -> None:
    corpus = Corpus(SMALL)
    train, test = set(corpus.split("train")[0]), set(corpus.split("test")[0])
    assert (len(train), len(test)) == (300, 100)
    assert not train & test


def test_a_text_has_32_words_and_about_half_of_them_are_common() -> None:
    corpus = Corpus(SMALL)
    common = set(corpus.words[:100])
    texts = [text.split(" ") for text in corpus.split("train")[0]]
    assert {len(words) for words in texts} == {32}
    assert abs(sum(word in common for words in texts for word in words) / (300 * 32) - 0.5) < 0.02


def test_a_topic_shows_in_the_words_its_texts_share() -> None:
    corpus = Corpus(replace(SMALL, train_texts=2_000))
    texts, topics = corpus.split("train")
    common = set(corpus.words[:100])
    assert set(topics) == set(TOPICS)
    for topic in TOPICS:
        words = [word for text, its in zip(texts, topics, strict=True) if its == topic for word in text.split(" ")]
        counts = Counter(word for word in words if word not in common)
        of_the_top_60 = sum(count for _, count in counts.most_common(60)) / counts.total()
        # 40 % from 60 words of its own, and the background's share of them; 15 % if topics did not show
        assert 0.40 < of_the_top_60 < 0.65


def test_a_topic_s_word_is_its_own_but_for_the_share_that_may_be_of_others_too() -> None:
    corpus, stream = Corpus(SMALL), Stream(1, 0)
    own = [{corpus.topical(topic, 0.0, stream) for _ in range(1_000)} for topic in range(len(TOPICS))]
    assert all(len(words) > 3 for words in own)
    assert len(set().union(*own)) == sum(len(words) for words in own)
    assert min(set().union(*own)) >= len(corpus.common_words)
    all_of_it = [{corpus.topical(topic, 1.0, stream) for _ in range(1_000)} for topic in range(len(TOPICS))]
    assert all(words < more for words, more in zip(own, all_of_it, strict=True))
    assert {len(words) for words in all_of_it} == {SMALL.topic_words}


@pytest.mark.parametrize("seed", range(20))
def test_runs_are_spread_with_a_filler_between_them(seed: int) -> None:
    runs = [[10, 11, 12], [20], [30, 31]]
    words, begins = spread(runs, 8, np.arange(5), Stream(seed, 0))
    assert len(words) == 8
    for run, begin in zip(runs, begins, strict=True):
        assert words[begin : begin + len(run)] == run
        assert all(beside < 5 for beside in (*words[:begin][-1:], *words[begin + len(run) :][:1]))
    assert sum(word < 5 for word in words) == 2


def test_runs_come_in_any_order_and_at_either_edge() -> None:
    spreads = [spread([[10], [20]], 4, np.arange(5), Stream(seed, 0)) for seed in range(200)]
    assert {tuple(begins) for _, begins in spreads} == {(a, b) for a in range(4) for b in range(4) if abs(a - b) > 1}


def test_without_runs_there_are_fillers_alone() -> None:
    words, begins = spread([], 6, np.arange(5), Stream(1, 0))
    assert (len(words), begins) == (6, [])
    assert max(words) < 5
