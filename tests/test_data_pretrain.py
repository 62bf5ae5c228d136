"""Pretraining follows from its plan alone: the same words hidden, the same losses, the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.learning.data.corpus import Corpus, CorpusPlan, Stream
from harness.learning.data.pretrain import BEGIN, END, MASK, SPECIAL_TOKENS, PretrainPlan, masked_batch, pretrain

TINY = PretrainPlan(layers=1, width=16, heads=2, batch_size=8, steps=30, warm_up_steps=4, decay_steps=10)
WORDS = CorpusPlan()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(plan: PretrainPlan, steps: int) -> tuple[bytes, list[float]]:
    model, losses = pretrain(plan, WORDS, steps, lambda step, loss: None)
    return b"".join(tensor.detach().numpy().tobytes() for tensor in model.parameters()), losses


def test_the_plan_alone_decides_the_weights() -> None:
    torch.manual_seed(1)
    first = weights(TINY, steps=5)
    torch.manual_seed(2)
    assert weights(TINY, steps=5) == first
    assert weights(replace(TINY, seed=8), steps=5)[0] != first[0]


def test_global_randomness_is_left_as_it_was() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    weights(TINY, steps=2)
    assert torch.equal(torch.rand(3), expected)


def test_fewer_steps_are_the_first_of_all() -> None:
    assert weights(TINY, steps=3)[1] == weights(TINY, steps=6)[1][:3]


def test_each_step_is_reported_with_its_loss() -> None:
    told: list[tuple[int, float]] = []
    _, losses = pretrain(TINY, WORDS, 3, lambda step, loss: told.append((step, loss)))
    assert told == list(enumerate(losses, start=1))


def test_it_learns_which_words_are_frequent() -> None:
    plan = replace(TINY, lr=1e-2, batch_size=32)
    _, losses = pretrain(plan, replace(WORDS, content_words=80, topic_words=10), 30, lambda step, loss: None)
    assert np.mean(losses[-5:]) < losses[0] - 0.05


def test_a_batch_hides_three_words_in_ten_and_asks_for_those_alone() -> None:
    corpus = Corpus(WORDS)
    plan = replace(TINY, batch_size=200)
    inputs, labels = masked_batch(plan, corpus, Stream(1, 3))
    words, _ = corpus.draw(200, Stream(1, 3))
    hidden = inputs[:, 1:-1] == MASK
    assert inputs.shape == labels.shape == (200, 34)
    assert (set(inputs[:, 0]), set(inputs[:, -1])) == ({BEGIN}, {END})
    assert (set(labels[:, 0]), set(labels[:, -1])) == ({-100}, {-100})
    assert abs(hidden.mean() - 0.3) < 0.02
    assert np.array_equal(labels[:, 1:-1], np.where(hidden, words + len(SPECIAL_TOKENS), -100))
    assert np.array_equal(inputs[:, 1:-1][~hidden], (words + len(SPECIAL_TOKENS))[~hidden])
