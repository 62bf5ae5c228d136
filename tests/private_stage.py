"""A small real encoder with a method attached, and gradients of it taken sample by sample without Opacus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from encoders import spec_of, write_shard
from local_training import prepared
from torch import Tensor

from harness.learning.data.encode import Encoded
from harness.learning.network import Network
from harness.learning.private import PrivateStep
from harness.learning.shards import collate
from harness.learning.tasks.losses import loss_of
from harness.learning.tensors import opened_state
from harness.profiles import Method, PrivacyProfile, TrainProfile

SAMPLES = 6
FAR = 1e6
"""A bound that no gradient reaches."""
Gradients = dict[str, Tensor]


class Stage:
    """A small encoder with a method attached, and a shard of texts of several lengths."""

    def __init__(self, folder: Path, method: Method = "federa", architecture: str = "bert", **train: Any) -> None:
        spec = spec_of(method, train=TrainProfile(**train))
        base, state = prepared(folder, spec, architecture)
        without_dropout(base)
        self.network = Network(base, spec, state)
        with opened_state(state) as tensors:
            self.network.attached.load(tensors)
        self.network.model.train()
        self.shard: Encoded = self.network.read(write_shard(folder / "shard", SAMPLES))

    def loss(self, rows: list[int]) -> Tensor:
        batch = collate(self.shard, rows, self.network.pad_id)
        return loss_of("text-classification")(self.network.outputs(batch), batch)

    def private(self, clip: float = FAR, noise: float = 0.0, expected: float = 1.0, seed: int = 0) -> PrivateStep:
        privacy = PrivacyProfile(kind="dp-sgd", clip=clip, noise_multiplier=noise)
        return PrivateStep(self.network.model, self.network.attached.trained, privacy, expected, seed)

    def gradients(self) -> Gradients:
        found = {name: tensor.grad for name, tensor in self.network.attached.trained.items()}
        return {name: gradient.clone() for name, gradient in found.items() if gradient is not None}

    def one_by_one(self) -> list[Gradients]:
        """The gradient of each sample, without Opacus: one forward and backward for each."""
        found = []
        for row in range(SAMPLES):
            self.network.model.zero_grad()
            self.loss([row]).backward()  # type: ignore[no-untyped-call]
            found.append(self.gradients())
        return found


def without_dropout(base: Path) -> None:
    config = json.loads((base / "config.json").read_text())
    names = (
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
        "dropout",
        "attention_dropout",
        "seq_classif_dropout",
    )
    (base / "config.json").write_text(json.dumps(config | {name: 0.0 for name in names if name in config}))
