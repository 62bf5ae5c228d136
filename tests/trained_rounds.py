"""Rounds of a method with real trainers, strategies and files, on a small encoder: no agents, no controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from encoders import LABELS, write_encoder, write_shard

from harness.learning.aggregation.base import Aggregation, Ground, Update
from harness.learning.aggregation.registry import strategy_of
from harness.learning.evaluator import Evaluator
from harness.learning.methods import initial_state
from harness.learning.outgoing import Outgoing
from harness.learning.spec import PrepareSpec
from harness.learning.tasks.text_classification import TextScorer
from harness.learning.tensors import write_state
from harness.learning.torch_trainer import TorchTrainer
from harness.profiles import Method, MethodProfile, TrainProfile

SAMPLES = 9


class TrainedRounds:
    """A run of ``method`` below ``folder`` that begins; rank 4 and alpha 6 unless told otherwise."""

    def __init__(self, folder: Path, method: Method, clients: int = 2, **settings: Any) -> None:
        told = msgspec.convert({"rank": 4, "alpha": 6.0, "lr": 1e-3} | settings, MethodProfile)
        train = TrainProfile(batch_size=4)
        self.spec = PrepareSpec(method=method, settings=told, train=train, labels=LABELS, threads=1, rounds=9, seed=3)
        self.folder = folder
        self.base = write_encoder(folder / "base", "roberta")
        self.shards = [write_shard(folder / f"shard-{client}", SAMPLES, seed=client) for client in range(clients)]
        self.test = write_shard(folder / "test", 30, seed=99)
        self.initial = initial_state(self.base, self.spec, seed=0)
        self.checkpoints = [folder / "initial.safetensors"]
        write_state(self.checkpoints[0], self.initial.state)
        self.init = folder / "first.safetensors" if self.initial.first else None
        if self.init:
            write_state(self.init, self.initial.first or {})
        ground = Ground(self.spec, self.initial.layers, clients, clients, self.checkpoints[0], folder / "clients")
        self.strategy = strategy_of(ground)

    @property
    def round(self) -> int:
        """The round that is open."""
        return len(self.checkpoints)

    def trainer(self) -> TorchTrainer:
        """One that was given nothing yet but what is shipped once."""
        return TorchTrainer(self.spec, self.base, self.init)

    def evaluator(self) -> Evaluator:
        """One for the test samples."""
        return Evaluator(self.base, self.spec, self.init, self.test, TextScorer, 8)

    def given(self, client: int) -> Outgoing:
        """What a client is given in the open round."""
        return self.strategy.outgoing(self.round, client, self.checkpoints[-1], self._beside(self.round))

    def train(self, trainer: TorchTrainer, client: int, state: Path) -> Path:
        """A client's update of ``state`` in the open round."""
        update = self.folder / f"update-{self.round}-{client}"
        trainer.load(state, self.shards[client], self.round)
        trainer.train(seed=100 * self.round + client, round=self.round)
        trainer.save(update)
        return update

    def close(self, updates: dict[int, Path]) -> Aggregation:
        """Aggregate the open round."""
        told = [Update(client, path, SAMPLES) for client, path in updates.items()]
        out = self.folder / f"checkpoint-{self.round}"
        done = self.strategy.aggregate(self.round, self.checkpoints[-1], told, out, self._beside(self.round + 1))
        self.checkpoints.append(out)
        return done

    def run_round(self, trainer: TorchTrainer) -> dict[int, Path]:
        """The open round with one trainer for all clients; their updates."""
        updates = {client: self.train(trainer, client, self.given(client).whole) for client in range(len(self.shards))}
        self.close(updates)
        return updates

    def _beside(self, round: int) -> Path:
        return self.folder / "outgoing" / f"round-{round:04d}"
