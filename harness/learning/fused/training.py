"""The local trainings of several clients, step by step in one batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from harness.learning.corrections import Corrections
from harness.learning.fused.chance import chance_of
from harness.learning.fused.crew import Crew
from harness.learning.fused.dropping import OwnDropout
from harness.learning.fused.joint import Joint, joined
from harness.learning.fused.learner import Learner
from harness.learning.fused.optimising import OwnAdamW
from harness.learning.network import Network
from harness.learning.seeding import derived_seed
from harness.learning.shards import Batch
from harness.learning.spec import PrepareSpec
from harness.learning.tasks.losses import loss_of


class JointTraining:
    """AdamW without weight decay at ``lr`` for all ``learners``: with :class:`LocalTraining`'s steps for each of them.

    In step s those train that have so many; who has fewer is done. The loss of a batch is the sum of what each client's
    own would be, and each client's tensors depend on its own alone: the gradients are those of training one by one.
    """

    def __init__(self, network: Network, spec: PrepareSpec, crew: Crew, learners: Sequence[Learner], lr: float) -> None:
        self._network, self._spec, self._crew = network, spec, crew
        # Who trains longest comes first, so that those who are left are always the first ones.
        self.learners = sorted(learners, key=lambda learner: -len(learner.steps))
        self._loss = loss_of(spec.task)
        given = [learner.given for learner in self.learners]
        self.tensors = {name: torch.stack([each.tensors[name] for each in given]) for name in given[0].tensors}
        self._trained = [name for name in self.tensors if name in given[0].shapes]
        self._optimiser = OwnAdamW({name: self.tensors[name] for name in self._trained}, lr)
        self._leaves: dict[str, Tensor] = {}
        settings = spec.settings
        self._corrections: list[Corrections] = []
        self._views: list[dict[str, nn.Parameter]] = []
        if settings.prox > 0 or settings.scaffold:
            self._views = [self._view(place) for place in range(len(given))]
            self._corrections = [
                Corrections(view, settings, each.control) for view, each in zip(self._views, given, strict=True)
            ]

    def run(self) -> None:
        """Train all to the end."""
        crew, network = self._crew, self._network
        seeds = [derived_seed(f"dropout/{learner.task.seed}") for learner in self.learners]
        crew.chances = [chance_of(seed, network.device) for seed in seeds]
        with torch.random.fork_rng(devices=network.cuda_devices):
            if not network.model.training:  # it stays so from one batch to the next
                network.model.train()
            for step in range(len(self.learners[0].steps)):
                self._step(step)
        for learner, corrections in zip(self.learners, self._corrections, strict=False):
            learner.control = corrections.control()
        self._leaves = crew.tensors = {}
        crew.begin(Joint((), 0))

    def own(self) -> list[dict[str, Tensor]]:
        """What each of the learners trained, on the processor; waits for the device."""
        whole = {name: self.tensors[name].to("cpu") for name in self._trained}
        return [{name: tensor[place] for name, tensor in whole.items()} for place in range(len(self.learners))]

    def losses(self) -> list[float]:
        """The mean of each learner's losses; waits for the device."""
        steps = [len(learner.losses) for learner in self.learners]
        together = torch.stack([loss for learner in self.learners for loss in learner.losses]).cpu()
        return [float(losses.mean()) for losses in torch.split(together, steps)]

    def _step(self, step: int) -> None:
        """One optimiser step of all who have so many; no loss leaves the device."""
        clients = sum(len(learner.steps) > step for learner in self.learners)
        self._lead(clients)
        losses = self._fill(step, clients)
        gradients = [gradient for name in self._trained if (gradient := self._leaves[name].grad) is not None]
        for place, corrections in enumerate(self._corrections[:clients]):
            for view, gradient in zip(self._views[place].values(), gradients, strict=True):
                view.grad = gradient[place]
            corrections.add()
        self._optimiser.step(gradients, clients)
        for learner, loss in zip(self.learners[:clients], losses, strict=True):
            learner.losses.append(loss)

    def _lead(self, clients: int) -> None:
        """Have the layers use the first ``clients``' tensors, without gradients yet."""
        if not self._leaves or len(next(iter(self._leaves.values()))) != clients:
            self._leaves = {
                name: tensor[:clients].detach().requires_grad_(name in self._trained)
                for name, tensor in self.tensors.items()
            }
            self._crew.tensors = self._leaves
        for leaf in self._leaves.values():
            leaf.grad = None

    def _fill(self, step: int, clients: int) -> list[Tensor]:
        """The gradients of a step's mean losses, and each client's loss."""
        learners = self.learners[:clients]
        parts = [learner.parts(step) for learner in learners]
        weights = [learner.weight(step) for learner in learners]
        losses: list[list[Tensor]] = [[] for _ in learners]
        for number in range(max(len(each) for each in parts)):
            places = [place for place, each in enumerate(parts) if len(each) > number]
            batches = [learners[place].batch(parts[place][number], self._network.pad_id) for place in places]
            summed = [loss / weights[place] for place, loss in zip(places, self._summed(batches, places), strict=True)]
            torch.stack(summed).sum().backward()  # type: ignore[no-untyped-call]
            for place, loss in zip(places, summed, strict=True):
                losses[place].append(loss.detach())
        return [torch.stack(each).sum() for each in losses]

    def _summed(self, batches: Sequence[Batch], places: Sequence[int]) -> list[Tensor]:
        """Each client's summed loss, of one pass of all of them through the model."""
        joint, batch = joined(batches, places, self._network.pad_id)
        self._crew.begin(joint)
        with OwnDropout(self._crew):
            outputs = self._network.outputs(batch)
        tokens = () if self._spec.task == "text-classification" else (1,)
        return [self._loss(part.of(outputs, tokens), one) for part, one in zip(joint.parts, batches, strict=True)]

    def _view(self, place: int) -> dict[str, nn.Parameter]:
        """One client's tensors as what is corrected alone: the same memory."""
        return {name: nn.Parameter(self.tensors[name][place], requires_grad=False) for name in self._trained}
