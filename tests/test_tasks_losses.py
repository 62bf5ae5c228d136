"""Each task's loss: what it sums, and what it leaves out."""

from __future__ import annotations

import math

import pytest
import torch

from harness.learning.data.encode import UNLABELLED
from harness.learning.shards import Batch
from harness.learning.tasks.losses import loss_of

MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


def batch(targets: list[object]) -> Batch:
    return Batch(torch.zeros_like(MASK), MASK, None, torch.tensor(targets))


def test_texts_sum_the_cross_entropy_of_their_class() -> None:
    outputs = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]])
    assert loss_of("text-classification")(outputs, batch([1, 0])) == pytest.approx(math.log(2) + math.log(4))


def test_tokens_without_a_tag_are_left_out() -> None:
    outputs = torch.zeros(2, 4, 5)
    outputs[:, 2:, 0] = 1e6  # would be a large loss if it counted
    tags = [[UNLABELLED, 1, UNLABELLED, UNLABELLED], [3, UNLABELLED, UNLABELLED, UNLABELLED]]
    assert loss_of("token-classification")(outputs, batch(tags)) == pytest.approx(2 * math.log(5))


def test_an_answer_is_sought_among_the_tokens_and_never_in_the_padding() -> None:
    outputs = torch.zeros(2, 4, 2)
    outputs[1, 2:] = 50.0
    spans = [[1, 2], [0, 1]]
    assert loss_of("question-answering")(outputs, batch(spans)) == pytest.approx(math.log(4) + math.log(2))


def test_more_padding_changes_no_answer_s_loss() -> None:
    outputs = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(0))
    wider = torch.cat([outputs, torch.ones(2, 3, 2)], dim=1)
    wide = Batch(torch.zeros(2, 7), torch.cat([MASK, torch.zeros(2, 3)], dim=1), None, torch.tensor([[1, 2], [0, 1]]))
    loss = loss_of("question-answering")
    assert loss(wider, wide) == pytest.approx(float(loss(outputs, batch([[1, 2], [0, 1]]))))
