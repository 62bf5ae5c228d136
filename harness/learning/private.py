"""DP-SGD at a client (Abadi et al., arXiv 1607.00133, algorithm 1), through Opacus: bounds a sample's part in a step.

Each sample's gradient over all that is trained is clipped to the norm C, the clipped ones of a step are summed, noise
normal(0, (sigma C)^2) is added to each value of the sum, and that is divided by the expected number of samples. The
samples of a step are drawn independently (Poisson), as the accountants assume: a step may be empty, and noise alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from harness.errors import TrainerError
from harness.learning.accounting import opacus_module
from harness.learning.seeding import derived_seed
from harness.profiles.methods import PrivacyProfile

Loss = Callable[[list[int]], Tensor]
"""The losses of some rows, in any shape: their sum is the sum over the rows, one row a sample."""

NO_INPUT_GRADIENT = "Full backward hook is firing when gradients are computed with respect to module outputs"
_OF_MODULES = ("activations", "max_batch_len")
_OF_PARAMETERS = ("grad_sample", "summed_grad", "_forward_counter", "_current_grad_sample", "_norm_sample")


class PrivateStep:
    """Fills the gradients of ``trainable`` with private ones; the step itself is the caller's optimiser's.

    ``trainable`` is all of ``model`` that requires a gradient. ``expected_batch`` is n q, the mean number of samples in
    a step. Noise comes from ``seed`` alone: the same seed gives the same bits. What is added to the gradient after
    :meth:`step` (FedProx) depends on no sample and costs nothing. Nothing is hidden from who knows the seed: this
    measures what privacy costs in accuracy, and a deployment draws its noise from a secret source.

    Raises:
        UsageError: Opacus is not installed.
    """

    def __init__(
        self,
        model: nn.Module,
        trainable: Mapping[str, nn.Parameter],
        privacy: PrivacyProfile,
        expected_batch: float,
        seed: int,
    ) -> None:
        self._model, self._trainable = model, dict(sorted(trainable.items()))
        self._rows = 0
        parameters = list(self._trainable.values())
        source = torch.Generator(parameters[0].device).manual_seed(derived_seed(f"dp-sgd/{seed}"))
        # Opacus' optimiser clips, sums, adds noise and divides. The one that it holds is there for its list of
        # parameters alone, and is never stepped.
        self._gradients = opacus_module("optimizers").DPOptimizer(
            torch.optim.SGD(parameters, lr=1.0),
            noise_multiplier=privacy.noise_multiplier,
            max_grad_norm=privacy.clip,
            expected_batch_size=expected_batch,
            generator=source,
        )

    @contextmanager
    def wrap(self) -> Iterator[None]:
        """Gradients are taken sample by sample in the block, of a model in training mode; it is as before after it."""
        hooks = opacus_module("grad_sample").GradSampleHooks(self._model, loss_reduction="sum")
        checks = [
            module.register_forward_pre_hook(self._see_rows)
            for module in self._model.modules()
            if any(parameter.requires_grad for parameter in module.parameters(recurse=False))
        ]
        try:
            with warnings.catch_warnings():
                # Of the first adapted layer, whose input depends on nothing that is trained: as it has to be.
                warnings.filterwarnings("ignore", message=NO_INPUT_GRADIENT)
                yield
        finally:
            for check in checks:
                check.remove()
            hooks.remove_hooks()
            self._forget()

    def step(self, parts: Sequence[list[int]], loss: Loss) -> Tensor:
        """Fill ``.grad`` from a step's rows, in ``parts`` that fit into memory; no parts: of noise alone.

        The answer is the mean loss of the rows, detached (0 without rows): told to people, and covered by no noise.

        Raises:
            TrainerError: a layer mixes the samples of a part, so that their gradients cannot be told apart.
        """
        self._gradients.zero_grad(set_to_none=True)
        total = torch.zeros((), device=next(iter(self._trainable.values())).device)
        for rows in parts:
            total += self._accumulate(rows, loss)
        if not any(parts):
            self._accumulate_nothing()
        self._gradients.add_noise()
        self._gradients.scale_grad()
        return total / max(1, sum(len(rows) for rows in parts))

    def _accumulate(self, rows: list[int], loss: Loss) -> Tensor:
        """Add the clipped gradients of some rows to the step's sum."""
        for parameter in self._trainable.values():
            parameter.grad_sample = None  # type: ignore[attr-defined]
        self._rows = len(rows)
        value = loss(rows).sum()
        value.backward()  # type: ignore[no-untyped-call]
        for name, parameter in self._trainable.items():
            found: Any = parameter.grad_sample  # type: ignore[attr-defined]
            if not isinstance(found, Tensor) or len(found) != len(rows):
                raise TrainerError(
                    f"dp-sgd finds no gradient of each sample for {name}; choose another model, or privacy.kind server"
                )
            # Of bf16 under autocast: norms of so few digits would let a sample pass the bound.
            parameter.grad_sample = found.to(parameter.dtype)  # type: ignore[attr-defined]
        self._gradients.clip_and_accumulate()
        return value.detach()

    def _accumulate_nothing(self) -> None:
        for parameter in self._trainable.values():
            parameter.grad_sample = parameter.new_zeros((0, *parameter.shape))  # type: ignore[attr-defined]
        self._gradients.clip_and_accumulate()

    def _see_rows(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """See that a layer's input has one entry for each sample of this part.

        DeBERTa projects its relative positions, which all samples share, with the weights of the tokens: Opacus would
        count their gradient as the first sample's. Where a part is one sample, it is.

        Raises:
            TrainerError: it has not.
        """
        if module.training and torch.is_grad_enabled() and any(len(part) != self._rows for part in _tensors(inputs)):
            raise TrainerError(
                "dp-sgd cannot tell the samples of a step apart in a layer that is applied to all of them at once; "
                "set train.micro_batch_size to 1, so that they come one by one"
            )

    def _forget(self) -> None:
        """Leave nothing of Opacus at the model, also not of a step that failed half way."""
        for module in self._model.modules():
            for name in _OF_MODULES:
                module.__dict__.pop(name, None)
        for parameter in self._model.parameters():
            for name in _OF_PARAMETERS:
                parameter.__dict__.pop(name, None)


def poisson_rows(samples: int, rate: float, steps: int, source: torch.Generator) -> list[list[int]]:
    """The rows of each step: every one of ``samples`` is in it with probability ``rate``, whatever else is."""
    return [torch.nonzero(torch.rand(samples, generator=source) < rate).flatten().tolist() for _ in range(steps)]


def _tensors(inputs: tuple[Any, ...]) -> list[Tensor]:
    return [part for part in inputs if isinstance(part, Tensor)]
