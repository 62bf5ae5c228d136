"""What a trainer is told once, before its first task: small, typed, and free of torch, so that it can travel."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from harness.profiles import Method, MethodProfile, ModulesProfile, TaskName, TrainProfile


class PrepareSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to build the model of a method. Travels in Provision.prepare, as builtins (msgspec.to_builtins / convert).

    ``labels`` is the number of outputs of the task head, ``threads`` the processor threads of this trainer, ``rounds``
    how many there will be, for the learning-rate schedule. ``seed`` is what clients draw from that all of them share:
    SLoRA's mask, FLoRA's new factors.
    """

    method: Method
    task: TaskName = "text-classification"
    settings: MethodProfile
    modules: ModulesProfile = ModulesProfile()
    train: TrainProfile
    rounds: int = 1
    seed: int = 0
    labels: int
    threads: int


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What a local training did: samples n_k, optimiser steps, tokens seen (no padding), mean loss of its steps."""

    samples: int
    steps: int
    tokens: int
    loss: float | None


class Trainer(Protocol):
    """Local training in three timed steps; the caller holds the clock. A trainer keeps its model between tasks."""

    def load(self, state: Path, shard: Path, round: int = 1) -> None:
        """Put what the client is given in ``round`` (safetensors) into the model and read the client's shard.

        ``state`` is whole, or lean: enough for a trainer that was last given the whole one of the round before.
        """

    def train(self, seed: int, round: int) -> Trained:
        """Train on the shard. All randomness comes from ``seed``: the same seed and round give the same bits."""

    def save(self, update: Path) -> None:
        """Write what was trained (:mod:`harness.learning.forms` says what that is in a round) as safetensors."""
