"""One local training from beginning to end, for the tests of the trainer."""

from __future__ import annotations

import json
from pathlib import Path

from encoders import write_encoder

from harness.learning.methods import initial_state
from harness.learning.spec import PrepareSpec, Trained, Trainer
from harness.learning.tensors import write_state


def prepared(tmp_path: Path, spec: PrepareSpec, architecture: str = "bert") -> tuple[Path, Path]:
    """A base folder and the state a run begins with, which clients also get as ``init``."""
    base, state = tmp_path / f"base-{architecture}", tmp_path / f"{spec.method}.safetensors"
    write_encoder(base, architecture)
    write_state(state, initial_state(base, spec, seed=0).state)
    return base, state


def task(trainer: Trainer, state: Path, shard: Path, seed: int, update: Path, round: int = 1) -> tuple[Trained, bytes]:
    trainer.load(state, shard, round)
    trained = trainer.train(seed, round)
    trainer.save(update)
    return trained, update.read_bytes()


def without_dropout(base: Path) -> None:
    """Take what a training draws at random out of a model folder."""
    config = json.loads((base / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (base / "config.json").write_text(json.dumps(config))
