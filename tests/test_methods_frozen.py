"""Frozen weights that move: always W0 + change - s B0 A0, whatever they were before."""

import torch
from torch import nn

from harness.learning.methods.frozen import FrozenWeights, subtract

W0 = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
B0, A0 = W0[:, :2].clone(), W0[:2].clone()
FACTORS = {"q.lora_A.weight": A0, "q.lora_B.weight": B0}
SCALE = 1.5


def test_a_change_and_the_principal_part_come_and_go() -> None:
    weight, change = nn.Parameter(W0.clone()), {"q": torch.randn(5, 7)}
    frozen = FrozenWeights({"q": weight}, FACTORS, SCALE)
    principal = SCALE * B0 @ A0
    for given, residual, wanted in (
        ({}, True, W0 - principal),
        (change, True, W0 + change["q"] - principal),
        (change, False, W0 + change["q"]),
        ({}, False, W0),
        ({}, False, W0),
    ):
        frozen.set(given, residual)
        torch.testing.assert_close(weight.detach(), wanted, rtol=0, atol=1e-6)
    assert torch.equal(weight, W0)  # to the bit


def test_the_way_to_a_weight_leaves_no_trace() -> None:
    change = {"q": torch.randn(5, 7, generator=torch.Generator().manual_seed(1))}
    straight, winding = (nn.Parameter(W0.clone()) for _ in range(2))
    FrozenWeights({"q": straight}, FACTORS, SCALE).set(change, True)
    frozen = FrozenWeights({"q": winding}, FACTORS, SCALE)
    for number in range(5):
        frozen.set({"q": change["q"] * number}, number % 2 == 0)
    frozen.set(change, True)
    assert torch.equal(straight, winding)


def test_a_weight_that_keeps_its_residual_is_the_same_one() -> None:
    once, kept = (nn.Parameter(W0.clone()) for _ in range(2))
    subtract(once, B0, A0, SCALE)
    FrozenWeights({"q": kept}, FACTORS, SCALE).set({}, True)
    assert torch.equal(once, kept)
