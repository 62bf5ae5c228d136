"""FedProx's and SCAFFOLD's terms of the gradient, by their formulas."""

import pytest
import torch
from torch import nn

from harness.learning.corrections import Corrections, control_of
from harness.profiles import MethodProfile


def parameter(*values: float, gradient: float = 0.0) -> nn.Parameter:
    made = nn.Parameter(torch.tensor(values))
    made.grad = torch.full_like(made, gradient)
    return made


def test_fedprox_pulls_back_to_what_was_given() -> None:
    tensor = parameter(1.0, 2.0, gradient=0.5)
    corrections = Corrections({"w": tensor}, MethodProfile(prox=0.1), {})
    corrections.add()
    assert tensor.grad is not None
    assert torch.equal(tensor.grad, torch.tensor([0.5, 0.5]))  # it is there still
    tensor.data += torch.tensor([3.0, -1.0])
    corrections.add()
    torch.testing.assert_close(tensor.grad, torch.tensor([0.8, 0.4]))
    assert corrections.control() == {}


def test_scaffold_adds_its_correction_and_tells_the_new_variate() -> None:
    tensor, other = parameter(1.0, 2.0), parameter(5.0, gradient=1.0)
    settings, control = MethodProfile(scaffold=True), {"w": torch.tensor([0.25, -0.5])}
    corrections = Corrections({"w": tensor, "v": other}, settings, control)
    for gradient in (0.0, 3.0):
        tensor.grad = torch.full((2,), gradient)
        corrections.add()
        torch.testing.assert_close(tensor.grad, control["w"] + gradient)
        assert torch.equal(other.grad or torch.zeros(1), torch.ones(1))  # without a variate: as zero
    new = corrections.control()
    torch.testing.assert_close(new["control/w"], torch.tensor([1.5, 1.5]))  # of the loss alone
    torch.testing.assert_close(new["control/v"], torch.ones(1))


def test_with_gradient_descent_the_new_variate_is_that_of_the_paper() -> None:
    """Its option II, c_k - c + (x_0 - x) / (K lr), where each step is x -= lr (g + c - c_k)."""
    tensor, control = parameter(1.0), {"w": torch.tensor([0.3])}
    corrections, lr, gradients = (
        Corrections({"w": tensor}, MethodProfile(scaffold=True), control),
        0.1,
        (2.0, 5.0, -1.0),
    )
    for gradient in gradients:
        tensor.grad = torch.tensor([gradient])
        corrections.add()
        tensor.data -= lr * tensor.grad
    option_ii = -control["w"] + (1.0 - tensor.detach()) / (3 * lr)
    torch.testing.assert_close(corrections.control()["control/w"], option_ii)
    torch.testing.assert_close(option_ii, torch.tensor([2.0]))


@pytest.mark.parametrize("size", [1.0, 1e-3])
def test_with_adamw_unequal_clients_come_to_the_optimum_of_all(size: float) -> None:
    """Of two clients one is drawn four times as hard: AdamW alone, whose steps are of one length, ends in between.

    However small the gradients are: a variate has their size, not that of AdamW's steps.
    """
    hard, places = torch.tensor([4.0, 1.0]) * size, torch.tensor([1.0, -1.0])
    optimum = float((hard * places).sum() / hard.sum())
    x, c, own = torch.zeros(1), torch.zeros(1), [torch.zeros(1), torch.zeros(1)]
    for _ in range(60):
        ends = []
        for client in range(2):
            tensor = nn.Parameter(x.clone())
            corrections = Corrections({"w": tensor}, MethodProfile(scaffold=True), {"w": c - own[client]})
            optimiser = torch.optim.AdamW([tensor], lr=0.02, weight_decay=0.0)
            for _ in range(5):
                tensor.grad = hard[client] * (tensor.detach() - places[client])
                corrections.add()
                optimiser.step()
            own[client] = corrections.control()["control/w"]
            ends.append(tensor.detach())
        x, c = (ends[0] + ends[1]) / 2, (own[0] + own[1]) / 2
    assert abs(float(x) - optimum) < 0.05


def test_control_variates_are_found_in_a_state() -> None:
    state = {"w": torch.zeros(1), "control/w": torch.ones(1), "change/w": torch.zeros(1)}
    assert control_of(state) == {"w": torch.ones(1)}
