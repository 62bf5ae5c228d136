"""The embedded corpus: the same words, topics and texts from the same seed, on every machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from harness.learning.data.corpus import TOPICS, Corpus, CorpusPlan, Stream

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
