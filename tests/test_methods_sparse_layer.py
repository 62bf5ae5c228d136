"""SLoRA's sparse layer is a linear layer with some other weights, and learns as these would."""

import torch
from torch import nn

from harness.learning.methods.sparse_layer import SparseLinear

PLACES = torch.tensor([0, 3, 8, 20])


def made() -> tuple[nn.Linear, SparseLinear, torch.Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        linear, x = nn.Linear(7, 3), torch.randn(4, 7)
    return linear, SparseLinear(linear, PLACES), x


def test_values_stand_at_their_places_while_it_is_on() -> None:
    linear, sparse, x = made()
    sparse.values.data = torch.arange(1.0, 5.0)
    assert torch.equal(sparse(x), linear(x))
    sparse.on = True
    dense = linear.weight.detach().clone()
    for place, value in zip(PLACES.tolist(), range(1, 5), strict=True):
        dense[place // 7, place % 7] += value
    torch.testing.assert_close(sparse(x), x @ dense.T + linear.bias)


def test_values_get_the_gradient_of_their_weights() -> None:
    linear, sparse, x = made()
    linear(x).square().sum().backward()
    assert linear.weight.grad is not None
    wanted = linear.weight.grad.flatten()[PLACES]
    sparse.on = True
    sparse(x).square().sum().backward()
    assert sparse.values.grad is not None
    torch.testing.assert_close(sparse.values.grad, wanted)
